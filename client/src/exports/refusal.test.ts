import { expect, test } from "vitest";

import { refusalOf } from "./refusal";

test.each([
  [["input", "since"], "since"],
  [["input", "until"], "until"],
  [["input", "providers", "1"], "providers"],
  [["input", "idempotencyKey"], null],
  [["input"], null],
] as const)("an error at %j is shown beside %s", (path, place) => {
  expect(refusalOf({ __typename: "ValidationFailed", message: "No.", path })).toEqual({
    text: "No.",
    place,
  });
});

test("an error of no field is shown beside the button", () => {
  expect(refusalOf({ __typename: "QuotaExceeded", message: "Five." }).place).toBeNull();
});
