import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import type { Answers } from "../testing/page";
import { address, filled, HEAT, shownForm, unwritten, written } from "./builders";

async function saved(answers: Answers) {
  const page = shownForm(answers);
  await filled(page, "Plot", "My plot.");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  return page;
}

test("an entry that is gone is added again, with all that was entered", async () => {
  let count = 0;
  const page = await saved({
    upsertMovie: () =>
      count++ === 0
        ? unwritten({ __typename: "VersionConflict", currentVersion: null })
        : written({ ...HEAT, version: "v9", plot: "My plot." }, true),
  });
  expect(await screen.findByRole("heading", { name: "This movie was deleted" })).toBeTruthy();
  await page.user.click(screen.getByRole("button", { name: "Add it again" }));
  expect(await screen.findByText("Added")).toBeTruthy();
  expect(page.writes()[1]).toEqual({
    input: {
      name: "Heat",
      year: 1995,
      director: "Michael Mann",
      genres: ["Crime"],
      plot: "My plot.",
    },
  });
});

test("an entry that is gone can be left so", async () => {
  const page = await saved({
    upsertMovie: () => unwritten({ __typename: "VersionConflict", currentVersion: null }),
  });
  await page.user.click(await screen.findByRole("button", { name: "Discard mine" }));
  expect(address()).toBe("/catalogue");
});
