import { screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";

import { type Answers, Unanswered } from "../testing/page";
import { aHouse, aMerged, aPage, HEAT, shownTo } from "./builders";
import { CataloguePage } from "./CataloguePage";

beforeEach(() => {
  window.history.replaceState(null, "");
});

function open(answers: Answers) {
  return shownTo(<CataloguePage />, answers);
}

test("every entry has its year, its director, and the ways to edit it and to its prices", async () => {
  const page = open({ movies: () => aPage([aMerged(HEAT)]) });
  const edit = await screen.findByRole("link", { name: "Edit Heat (1995)" });
  expect(edit.getAttribute("href")).toBe("/catalogue/entry%3Aheat");
  const prices = screen.getByRole("link", { name: "What shops ask for Heat" });
  expect(prices.getAttribute("href")).toBe("/movie/tt0113277");
  expect(screen.getByText("1995")).toBeTruthy();
  expect(screen.getByText("Michael Mann")).toBeTruthy();
  expect(screen.getByText("1 movie of our own")).toBeTruthy();
  expect(page.asked[1]?.variables).toMatchObject({ filter: { providers: ["house"] } });
});

test("entries that are one movie are listed and counted one by one", async () => {
  const names = ["a/../b", "a b", "A-B", "A, B!"];
  const catalogueEntries = names.map((name, at) => ({ ...HEAT, id: `entry:${at.toString()}`, name }));
  open({ movies: () => aPage([{ ...aMerged(HEAT), catalogueEntries }]) });
  expect(await screen.findByText("4 movies of our own")).toBeTruthy();
  const links = screen.getAllByRole("link", { name: /^Edit/ });
  expect(links.map((link) => [link.textContent, link.getAttribute("href")])).toEqual(
    names.map((name, at) => [name, `/catalogue/entry%3A${at.toString()}`]),
  );
});

test("what is not known of a movie says so, and is not left blank", async () => {
  open({ movies: () => aPage([aMerged({ ...HEAT, director: null })]) });
  expect(await screen.findByText("director unknown")).toBeTruthy();
});

test("an empty catalogue says what to do", async () => {
  open({});
  expect(await screen.findByText(/^There is no movie of our own yet\. Add the first one/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "Add a movie" }).getAttribute("href")).toBe(
    "/catalogue/new",
  );
});

test("a catalogue that does not answer is not called empty", async () => {
  open({ movies: () => aPage([], { complete: false, sources: [aHouse("FAILED")] }) });
  expect(await screen.findByText(/^No movies to show: the house catalogue has not/)).toBeTruthy();
  expect(screen.getByText("House catalogue does not answer.")).toBeTruthy();
});

test("more movies are loaded on request", async () => {
  const second = { ...HEAT, id: "entry:ronin", name: "Ronin", year: 1998 };
  const page = open({
    movies: ({ after }: { after: string | null }) =>
      after
        ? aPage([{ ...aMerged(second), id: "tt2" }], { totalCount: 2 })
        : aPage([aMerged(HEAT)], {
            totalCount: 2,
            pageInfo: { hasNextPage: true, endCursor: "c" },
          }),
  });
  await page.user.click(await screen.findByRole("button", { name: "Show more movies" }));
  expect(await screen.findByRole("link", { name: "Edit Ronin (1998)" })).toBeTruthy();
  expect(screen.getByText("At least 2 movies of our own")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Show more movies" })).toBeNull();
});

test("a server without a catalogue says that it has none", async () => {
  open({ providers: () => [{ id: "filmworld", name: "Filmworld", sells: true }] });
  expect(await screen.findByText(/^This server keeps no catalogue of its own/)).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Add a movie" })).toBeNull();
});

test("a server that does not answer shows an error", async () => {
  open({
    providers: () => {
      throw new Unanswered();
    },
  });
  expect((await screen.findByRole("alert")).textContent).toContain("movieql does not answer.");
});

test("what happened on the page before is shown", async () => {
  window.history.replaceState({ told: "“Heat” (1995) is deleted" }, "");
  open({});
  expect(await screen.findByText("“Heat” (1995) is deleted")).toBeTruthy();
});
