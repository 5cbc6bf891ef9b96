import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";

import { address, aNode, HEAT, shownForm, status } from "./builders";

test("an entry is deleted with a second click, if it is still this version", async () => {
  const page = shownForm({ deleteMovie: () => ({ entry: HEAT, errors: [] }) });
  await page.user.click(screen.getByRole("button", { name: "Delete this movie" }));
  const question = within(screen.getByRole("group", { name: "Delete this movie" }));
  expect(document.activeElement).toBe(question.getByRole("button", { name: "Keep it" }));
  expect(page.asked).toEqual([]);
  await page.user.click(question.getByRole("button", { name: "Yes, delete it" }));
  await waitFor(() => {
    expect(address()).toBe("/catalogue");
  });
  expect(page.asked[0]?.variables).toEqual({ input: { id: "entry:heat", ifMatch: "v1" } });
});

test("a movie can be kept after all", async () => {
  const page = shownForm({});
  await page.user.click(screen.getByRole("button", { name: "Delete this movie" }));
  await page.user.click(screen.getByRole("button", { name: "Keep it" }));
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Delete this movie" }));
  expect(page.asked).toEqual([]);
});

test.each([
  ["NotFound", {}],
  ["VersionConflict", { currentVersion: null }],
])("what was deleted before (%s) is deleted", async (name, rest) => {
  const errors = [{ __typename: name, message: "No.", ...rest }];
  const page = shownForm({ deleteMovie: () => ({ entry: null, errors }) });
  await page.user.click(screen.getByRole("button", { name: "Delete this movie" }));
  await page.user.click(screen.getByRole("button", { name: "Yes, delete it" }));
  await waitFor(() => {
    expect(address()).toBe("/catalogue");
  });
});

test("what somebody else changed is shown instead of deleted", async () => {
  const errors = [{ __typename: "VersionConflict", message: "No.", currentVersion: "v2" }];
  const now = { ...HEAT, version: "v2", plot: "Theirs." };
  const page = shownForm({
    deleteMovie: () => ({ entry: null, errors }),
    node: () => aNode(now),
  });
  await page.user.click(screen.getByRole("button", { name: "Delete this movie" }));
  await page.user.click(screen.getByRole("button", { name: "Yes, delete it" }));
  await waitFor(() => {
    expect(status()).toBe("Somebody else changed this movie: this is how it is now");
  });
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "Theirs.");
  expect(address()).toBe("/somewhere");
});

test("an entry that was not deleted shows why", async () => {
  const errors = [{ __typename: "CatalogueFull", message: "It is too large." }];
  const page = shownForm({ deleteMovie: () => ({ entry: null, errors }) });
  await page.user.click(screen.getByRole("button", { name: "Delete this movie" }));
  await page.user.click(screen.getByRole("button", { name: "Yes, delete it" }));
  expect((await screen.findByRole("alert")).textContent).toContain("It is too large.");
});
