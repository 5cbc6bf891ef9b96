// Somebody else writes the same entry while a form of it is open.
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";

import type { SessionStore } from "../session/store";
import type { Answers } from "../testing/page";
import { aNode, coded, HEAT, shownForm, signedIn, unwritten, written } from "./builders";
import type { Entry } from "./fields";

const THEIRS: Entry = { ...HEAT, version: "v2", genres: ["Crime", "Drama"], plot: "Their plot." };

/** Show a form in which the plot and the awards were changed, and press Save. */
async function saved(answers: Answers, session?: SessionStore) {
  const page = shownForm({ node: () => aNode(THEIRS), ...answers }, session);
  await page.user.type(screen.getByLabelText("Plot"), "My plot.");
  await page.user.type(screen.getByLabelText("Awards"), "My awards.");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  return page;
}

/** Refuse what is for another version than the latest of these, and write the rest. */
function versions(...entries: [Entry, ...Entry[]]) {
  const left = [...entries];
  return ({ input: { ifMatch } }: { input: { ifMatch: string | null } }) => {
    const now = left.shift() ?? entries[0];
    return ifMatch === now.version
      ? written({ ...now, version: `${now.version}+` })
      : unwritten({ __typename: "VersionConflict", currentVersion: now.version });
  };
}

function field(label: string) {
  return within(screen.getByRole("group", { name: new RegExp(`^${label}`) }));
}

function isChecked(label: string, side: RegExp): boolean {
  return field(label).getByRole<HTMLInputElement>("radio", { name: side }).checked;
}

test("both versions are shown where they differ, with what needs no person chosen", async () => {
  await saved({ upsertMovie: versions(THEIRS) });
  const heading = await screen.findByRole("heading", { name: "Choose what to keep" });
  expect(document.activeElement).toBe(heading);
  expect(screen.getByText(/^Somebody else changed “Heat” \(1995\)/)).toBeTruthy();
  const groups = screen.getAllByRole("group").map(({ textContent }) => textContent);
  expect(groups).toEqual([
    "Genres only they changed itYoursCrimeTheirsCrime, Drama",
    "Plot both of you changed itBefore: nothingYoursMy plot.TheirsTheir plot.",
    "Awards only you changed itYoursMy awards.Theirsnothing",
  ]);
  expect(isChecked("Genres", /^Theirs/)).toBe(true);
  expect(isChecked("Awards", /^Yours/)).toBe(true);
  expect(isChecked("Plot", /^Yours/) || isChecked("Plot", /^Theirs/)).toBe(false);
});

test("what both changed has to be chosen before anything is saved", async () => {
  const page = await saved({ upsertMovie: versions(THEIRS) });
  await page.user.click(await screen.findByRole("button", { name: "Save with these" }));
  expect(field("Plot").getByText("Choose one of both.")).toBeTruthy();
  expect(document.activeElement).toBe(field("Plot").getByRole("radio", { name: /^Yours/ }));
  expect(page.writes()).toHaveLength(1);
});

test("what was chosen is saved over their version, and nothing else", async () => {
  const page = await saved({ upsertMovie: versions(THEIRS, THEIRS) });
  await page.user.click(await screen.findByRole("radio", { name: /^Yours My plot/ }));
  await page.user.click(screen.getByRole("button", { name: "Save with these" }));
  expect(await screen.findByText("Saved")).toBeTruthy();
  expect(page.writes()[1]).toEqual({
    input: { name: "Heat", year: 1995, plot: "My plot.", awards: "My awards.", ifMatch: "v2" },
  });
  expect(document.activeElement).toBe(screen.getByText("Saved"));
});

test("a third person may come between: then it is compared again, with what was chosen", async () => {
  const third = { ...THEIRS, version: "v3", genres: ["Thriller"] };
  let now = THEIRS;
  const page = await saved({
    upsertMovie: versions(THEIRS, third, third),
    node: () => aNode(now),
  });
  await page.user.click(await screen.findByRole("radio", { name: /^Yours My plot/ }));
  now = third;
  await page.user.click(screen.getByRole("button", { name: "Save with these" }));
  await waitFor(() => {
    expect(field("Genres").getByText(/Thriller/)).toBeTruthy();
  });
  expect(isChecked("Genres", /^Theirs/)).toBe(true);
  expect(isChecked("Plot", /^Yours/)).toBe(true);
  await page.user.click(screen.getByRole("button", { name: "Save with these" }));
  expect(await screen.findByText("Saved")).toBeTruthy();
  expect(page.writes()[2]).toMatchObject({ input: { ifMatch: "v3" } });
});

test("who takes everything of theirs has nothing left to save", async () => {
  const page = await saved({ upsertMovie: versions(THEIRS) });
  await page.user.click(await screen.findByRole("radio", { name: /^Theirs Their plot/ }));
  await page.user.click(field("Awards").getByRole("radio", { name: /^Theirs/ }));
  await page.user.click(screen.getByRole("button", { name: "Save with these" }));
  expect(await screen.findByText(/^Everything is as they saved it/)).toBeTruthy();
  expect(page.writes()).toHaveLength(1);
});

test("mine can be discarded", async () => {
  const page = await saved({ upsertMovie: versions(THEIRS) });
  await page.user.click(await screen.findByRole("button", { name: "Discard mine" }));
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "Their plot.");
  expect(screen.getByText("Yours is discarded: this is what is saved")).toBeTruthy();
});

test("somebody who saved the very same is no conflict", async () => {
  const same = { ...HEAT, version: "v2", plot: "My plot.", awards: "My awards." };
  await saved({ upsertMovie: versions(same), node: () => aNode(same) });
  expect(await screen.findByText("Saved")).toBeTruthy();
});

test("without a session the choice stays, and can be saved after signing in", async () => {
  const session = signedIn();
  await saved({ upsertMovie: versions(THEIRS) }, session);
  await screen.findByRole("button", { name: "Save with these" });
  session.end("You were signed out.");
  expect(await screen.findByText("You were signed out.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Save with these" })).toBeNull();
  session.signIn({ name: "dev", token: "t", endsAtMs: null });
  expect(await screen.findByRole("button", { name: "Save with these" })).toBeTruthy();
  expect(isChecked("Awards", /^Yours/)).toBe(true);
});

test("a catalogue that does not answer leaves everything as it was entered", async () => {
  await saved({ upsertMovie: versions(THEIRS), node: () => coded("UNAVAILABLE") });
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("It is UNAVAILABLE. Nothing was saved");
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "My plot.");
});

test("a change that no server shows yet is reported, and not guessed", async () => {
  await saved({ upsertMovie: versions(THEIRS), node: () => aNode(HEAT) });
  expect(await screen.findByText(/it cannot be seen yet how/, {}, { timeout: 3_000 })).toBeTruthy();
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "My plot.");
});
