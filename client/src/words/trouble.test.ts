import { CombinedGraphQLErrors } from "@apollo/client";
import { expect, test } from "vitest";

import { troubleOf } from "./trouble";

function answered(code: string): CombinedGraphQLErrors {
  const errors = [{ message: "`first` is 1 to 200.", extensions: { code } }];
  return new CombinedGraphQLErrors({ data: null, errors });
}

test("no error is no trouble", () => {
  expect(troubleOf(undefined)).toBeNull();
});

test("a server that cannot be reached is a passing trouble", () => {
  expect(troubleOf(new TypeError("Failed to fetch"))).toEqual({
    text: "movieql does not answer.",
    isPassing: true,
  });
});

test.each(["RATE_LIMITED", "UNAVAILABLE", "INTERNAL"])("%s goes by itself", (code) => {
  expect(troubleOf(answered(code))?.isPassing).toBe(true);
});

test("an invalid request is a lasting trouble, in the server's words", () => {
  expect(troubleOf(answered("BAD_USER_INPUT"))).toEqual({
    text: "`first` is 1 to 200.",
    isPassing: false,
  });
});
