import { screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";

import { type Answers, Unanswered } from "../testing/page";
import { aSource } from "../words/builders";
import { aHouse, aMerged, aNode, coded, HEAT, shownTo, written } from "./builders";
import { EntryPage } from "./EntryPage";

beforeEach(() => {
  window.history.replaceState(null, "");
});

function open(answers: Answers) {
  return shownTo(<EntryPage id="tt0113277" />, answers);
}

function openNew(answers: Answers) {
  return open({ node: () => aMerged(null), movie: () => aMerged(null), ...answers });
}

test("an entry is found by its own id", async () => {
  open({ node: () => aNode(HEAT) });
  expect(await screen.findByRole("heading", { name: "Edit Heat" })).toBeTruthy();
  const link = screen.getByRole("link", { name: "See what shops ask for it" });
  expect(link.getAttribute("href")).toBe("/movie/tt0113277");
});

test("a movie that has several entries leads to each", async () => {
  const other = { ...HEAT, id: "entry:other", name: "Heat!" };
  open({ node: () => ({ ...aMerged(HEAT), catalogueEntries: [HEAT, other] }) });
  expect(await screen.findByRole("heading", { name: /several entries$/ })).toBeTruthy();
  const links = screen.getAllByRole("link", { name: /^Edit/ });
  expect(links.map((link) => [link.textContent, link.getAttribute("href")])).toEqual([
    ["Edit “Heat” (1995)", "/catalogue/entry%3Aheat"],
    ["Edit “Heat!” (1995)", "/catalogue/entry%3Aother"],
  ]);
});

test("while the catalogue does not answer, an entry is not called missing", async () => {
  open({ node: () => coded("UNAVAILABLE") });
  expect((await screen.findByRole("alert")).textContent).toMatch(/^It is UNAVAILABLE\./);
  expect(screen.queryByRole("heading", { name: "There is no such movie" })).toBeNull();
});

test("an entry is found by the id of the merged movie, too", async () => {
  const page = open({ node: () => aMerged(HEAT) });
  expect(await screen.findByRole("heading", { name: "Edit Heat" })).toBeTruthy();
  expect(screen.getByLabelText("Genres")).toHaveProperty("value", "Crime");
  const link = screen.getByRole("link", { name: "See what shops ask for it" });
  expect(link.getAttribute("href")).toBe("/movie/tt0113277");
  expect(page.asked).toEqual([{ name: "CatalogueNode", variables: { id: "tt0113277" } }]);
});

test("a movie without an entry begins with the description of the shops", async () => {
  const page = openNew({ upsertMovie: () => written(HEAT, true) });
  expect(await screen.findByRole("heading", { name: "Add Heat" })).toBeTruthy();
  expect(screen.getByLabelText("Year")).toHaveProperty("value", "1995");
  expect(screen.getByLabelText("Genres")).toHaveProperty("value", "Crime, Thriller");
  await page.user.click(screen.getByRole("button", { name: "Add this movie" }));
  expect(await screen.findByText("Added")).toBeTruthy();
  expect(page.writes()).toEqual([
    {
      input: {
        name: "Heat",
        year: 1995,
        director: "Michael Mann",
        genres: ["Crime", "Thriller"],
      },
    },
  ]);
  expect(document.activeElement).toBe(screen.getByText("Added"));
  expect(screen.getByRole("heading", { name: "Edit Heat" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Save" })).toBeTruthy();
});

test("adding an entry that was added meanwhile says that it was there", async () => {
  const page = openNew({ upsertMovie: () => written(HEAT, false) });
  await page.user.click(await screen.findByRole("button", { name: "Add this movie" }));
  expect(await screen.findByText(/^It was there already: what you entered was saved/)).toBeTruthy();
});

test("a catalogue that is down is not taken for one without the movie", async () => {
  open({ node: () => aMerged(null, { sources: [aHouse("FAILED")] }) });
  expect(await screen.findByText(/^It is not known yet whether/)).toBeTruthy();
  expect(screen.getByText("House catalogue does not answer.")).toBeTruthy();
  expect(screen.queryByRole("form")).toBeNull();
});

test("while a shop is down, an unknown id may still be a movie", async () => {
  const sources = [aSource("filmworld", "FAILED"), aHouse()];
  open({ node: () => aMerged(null, { title: null, year: null, sources }) });
  expect(await screen.findByText(/^It is not known yet whether/)).toBeTruthy();
});

test("a movie that nobody has cannot be edited", async () => {
  open({ node: () => null });
  expect(await screen.findByRole("heading", { name: "There is no such movie" })).toBeTruthy();
  const link = screen.getByRole("link", { name: "Add a movie" });
  expect(link.getAttribute("href")).toBe("/catalogue/new");
});

test("a server that does not answer shows an error, and is asked again", async () => {
  open({
    node: () => {
      throw new Unanswered();
    },
  });
  expect((await screen.findByRole("alert")).textContent).toMatch(
    /^movieql does not answer\. Tried again every 2 s\./,
  );
});

test("what happened on the page before is shown once", async () => {
  window.history.replaceState({ told: "Added" }, "");
  open({ node: () => aMerged(HEAT) });
  expect(await screen.findByText("Added")).toBeTruthy();
  expect(window.history.state).toBeNull();
});
