import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";

import type { Answers } from "../testing/page";
import { address, aHouse, aMerged, aNode, aPage, HEAT, shownTo, unwritten, written } from "./builders";
import { NewEntryPage } from "./NewEntryPage";

async function adding(answers: Answers, name = "Heat", year = "1995") {
  const page = shownTo(<NewEntryPage />, answers);
  if (name) await page.user.type(screen.getByLabelText("Title"), name);
  if (year) await page.user.type(screen.getByLabelText("Year"), year);
  await page.user.type(screen.getByLabelText("Plot"), "A heist.");
  await page.user.click(screen.getByRole("button", { name: "Add this movie" }));
  return page;
}

test("a title, a year and what else is entered make a movie, which has its own page then", async () => {
  const page = await adding({ upsertMovie: () => written({ ...HEAT, plot: "A heist." }, true) });
  await waitFor(() => {
    expect(address()).toBe("/catalogue/entry%3Aheat");
  });
  expect(page.writes()).toEqual([
    { input: { name: "Heat", year: 1995, plot: "A heist." } },
  ]);
});

test("a movie that is there already is not written over: one chooses", async () => {
  const page = await adding(
    {
      movies: () => aPage([aMerged(HEAT)]),
      node: () => aNode({ ...HEAT, plot: "Their plot." }),
      upsertMovie: () => written(HEAT),
    },
    "hEAT ",
  );
  const told = /^The house catalogue has “Heat” \(1995\) already/;
  expect(await screen.findByText(told)).toBeTruthy();
  expect(page.writes()).toEqual([]);
  await page.user.click(screen.getByRole("radio", { name: /^Yours A heist/ }));
  await page.user.click(screen.getByRole("button", { name: "Save with these" }));
  await waitFor(() => {
    expect(address()).toBe("/catalogue/entry%3Aheat");
  });
  expect(page.writes()).toEqual([
    { input: { name: "Heat", year: 1995, plot: "A heist.", ifMatch: "v1" } },
  ]);
});

test("a movie that is there is found on a later page, too", async () => {
  const other = aMerged({ ...HEAT, name: "Heat and Dust" });
  const more = { pageInfo: { hasNextPage: true, endCursor: "c" } };
  const page = await adding({
    movies: ({ after }: { after: string | null }) =>
      after ? aPage([aMerged(HEAT)]) : aPage([other], more),
    node: () => aNode(HEAT),
  });
  expect(await screen.findByText(/already/)).toBeTruthy();
  expect(page.writes()).toEqual([]);
});

test("a movie of another title or year is another movie", async () => {
  const other = aMerged({ ...HEAT, name: "Heat and Dust" });
  const page = await adding({
    movies: () => aPage([other]),
    upsertMovie: () => written(HEAT, true),
  });
  await waitFor(() => {
    expect(page.writes()).toHaveLength(1);
  });
});

test("while the catalogue does not answer nothing is written, and nothing is lost", async () => {
  const page = await adding({
    movies: () => aPage([], { complete: false, sources: [aHouse("FAILED")] }),
  });
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("The house catalogue does not answer. Nothing was saved");
  expect(page.writes()).toEqual([]);
  expect(screen.getByLabelText("Title")).toHaveProperty("value", "Heat");
});

const NEAR = { ...HEAT, id: "entry:near", name: "Heat!", plot: "Their plot." };

/** Refuse what may be another entry's movie, unless that is meant. */
function asking({ input }: { input: { allowNearDuplicate: boolean } }) {
  if (input.allowNearDuplicate) return written(HEAT, true);
  return unwritten({ __typename: "NearDuplicate", entries: [NEAR] });
}

test("a movie that may be there under another name is added only if that is meant", async () => {
  const page = await adding({ upsertMovie: asking });
  const heading = await screen.findByRole("heading", { name: "Is it the same movie?" });
  expect(document.activeElement).toBe(heading);
  expect(screen.getByText(/^There is already “Heat!” \(1995\), which may be the same/)).toBeTruthy();
  await page.user.click(screen.getByRole("button", { name: "Add “Heat” (1995) anyway" }));
  await waitFor(() => {
    expect(address()).toBe("/catalogue/entry%3Aheat");
  });
  expect(page.writes()[1]).toEqual({
    input: { name: "Heat", year: 1995, plot: "A heist.", allowNearDuplicate: true },
  });
});

test("a movie that is there under another name is edited, with what was entered to choose from", async () => {
  const page = await adding({ upsertMovie: asking });
  const same = { name: "It is the same: edit “Heat!” (1995)" };
  await page.user.click(await screen.findByRole("button", same));
  expect(await screen.findByText(/^The house catalogue has “Heat!” \(1995\) already/)).toBeTruthy();
  await page.user.click(screen.getByRole("radio", { name: /^Yours A heist/ }));
  await page.user.click(screen.getByRole("button", { name: "Save with these" }));
  await waitFor(() => {
    expect(page.writes()).toHaveLength(2);
  });
  expect(page.writes()[1]).toMatchObject({ input: { name: "Heat!", plot: "A heist.", ifMatch: "v1" } });
});

test("a mistyped title can be changed before the movie is added", async () => {
  const page = await adding({ upsertMovie: asking });
  await page.user.click(await screen.findByRole("button", { name: "Change what I entered" }));
  expect(screen.getByLabelText("Title")).toHaveProperty("value", "Heat");
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "A heist.");
  expect(document.activeElement?.textContent).toBe("Nothing is saved yet");
  await page.user.type(screen.getByLabelText("Title"), " 2");
  await page.user.click(screen.getByRole("button", { name: "Add this movie" }));
  await waitFor(() => {
    expect(page.writes()[1]).toEqual({ input: { name: "Heat 2", year: 1995, plot: "A heist." } });
  });
});

test("a server without a catalogue says so itself", async () => {
  const error = { __typename: "CatalogueUnavailable", retryable: false, mayHaveHappened: false };
  await adding({
    providers: () => [],
    upsertMovie: () => unwritten({ ...error, message: "This server has no house catalogue." }),
  });
  expect((await screen.findByRole("alert")).textContent).toContain("This server has no house");
});

test("the server says what a name is", async () => {
  const error = { __typename: "ValidationFailed", message: "A name is …", path: ["input", "name"] };
  await adding({ upsertMovie: () => unwritten(error) }, "");
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByLabelText("Title"));
  });
});

test("a year that is no number has the focus", async () => {
  const page = await adding({}, "Heat", "soon");
  expect(document.activeElement).toBe(screen.getByLabelText("Year"));
  expect(page.asked).toEqual([]);
});
