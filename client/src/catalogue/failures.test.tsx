// A write that is not made, or of which nobody knows whether it was.
import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";

import { Unanswered } from "../testing/page";
import { aNode, coded, filled, HEAT, shownForm, status, unwritten } from "./builders";

test.each([
  ["a full catalogue", () => unwritten({ __typename: "CatalogueFull" }), "Delete a movie to make room"],
  [
    "a busy catalogue",
    () => unwritten({ __typename: "CatalogueUnavailable", retryable: true, mayHaveHappened: false }),
    "Try again in a moment",
  ],
  ["a token that may not", () => coded("FORBIDDEN"), "sign in as somebody who may"],
  ["too many requests", () => coded("RATE_LIMITED"), "Nothing was saved"],
])("%s shows an error, and nothing of what was entered is lost", async (_, answer, words) => {
  const page = shownForm({ upsertMovie: answer });
  await filled(page, "Plot", "A heist.");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  expect((await screen.findByRole("alert")).textContent).toContain(words);
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "A heist.");
  expect(screen.queryByRole("button", { name: "Load the entry" })).toBeNull();
});

test.each([
  [
    "an uncertain write",
    () => unwritten({ __typename: "CatalogueUnavailable", retryable: true, mayHaveHappened: true }),
  ],
  [
    "a lost answer",
    () => {
      throw new Unanswered();
    },
  ],
])("after %s one looks at the entry, and learns that it was written", async (_, answer) => {
  const now = { ...HEAT, version: "v2", plot: "A heist." };
  const page = shownForm({
    upsertMovie: answer,
    node: () => aNode(now),
  });
  await filled(page, "Plot", "A heist.");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  await page.user.click(await screen.findByRole("button", { name: "Load the entry" }));
  await waitFor(() => {
    expect(status()).toBe("Saved");
  });
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "A heist.");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("after an uncertain write one learns that it was not written", async () => {
  const page = shownForm({
    upsertMovie: () => coded("INTERNAL"),
    node: () => aNode(HEAT),
  });
  await filled(page, "Plot", "A heist.");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  await page.user.click(await screen.findByRole("button", { name: "Load the entry" }));
  const told = await screen.findByText(/It was not written\./, {}, { timeout: 3_000 });
  expect(told).toBeTruthy();
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "A heist.");
});
