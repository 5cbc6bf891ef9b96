import { expect, test } from "vitest";

import { refusalOf } from "./refusal";

test.each([
  [["input", "since"], "since"],
  [["input", "until"], "until"],
  [["input", "providers", "1"], "providers"],
  [["input", "idempotencyKey"], null],
  [["input"], null],
] as const)("what is wrong at %j is told beside %s", (path, place) => {
  expect(refusalOf({ __typename: "ValidationFailed", message: "No.", path })).toEqual({
    text: "No.",
    place,
  });
});

test("what is wrong with none of the fields is told beside the button", () => {
  expect(refusalOf({ __typename: "QuotaExceeded", message: "Five." }).place).toBeNull();
});
