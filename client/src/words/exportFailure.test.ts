import { CombinedGraphQLErrors } from "@apollo/client";
import { expect, test } from "vitest";

import { changeErrorWords, exportFailureWords, readErrorWords } from "./exportFailure";

function refused(code: string, message: string): CombinedGraphQLErrors {
  return new CombinedGraphQLErrors({ errors: [{ message, extensions: { code } }] });
}

test("an invalid input is reported in the server's words", () => {
  const message = "The window must start before it ends.";
  expect(exportFailureWords({ __typename: "ValidationFailed", message })).toBe(message);
});

test("at the limit of exports the message says what makes room", () => {
  const message = "You have 5 open exports, which is all you may have at once.";
  expect(exportFailureWords({ __typename: "QuotaExceeded", message })).toBe(
    `${message} Wait until one has ended, or cancel one.`,
  );
});

test("a key that was used for another order is reported without the key", () => {
  expect(exportFailureWords({ __typename: "IdempotencyConflict", message: "The key …" })).toBe(
    "This was ordered before, with other settings. Nothing new was ordered: press again to do so.",
  );
});

test.each([
  [true, true, "Nobody knows whether it was done. Press again: nothing is done twice."],
  [true, false, "Nothing was done: try again in a moment."],
  [false, false, "Trying again does not help."],
])("a part that is down (retryable %s, may have happened %s)", (retryable, may, next) => {
  const failure = { __typename: "ExportsUnavailable", retryable, mayHaveHappened: may };
  expect(exportFailureWords({ ...failure, message: "The store is down." })).toBe(
    `The store is down. ${next}`,
  );
});

test("a missing one says how to see those that there are", () => {
  const message = "There is no export of this id.";
  expect(exportFailureWords({ __typename: "NotFound", message })).toBe(
    `${message} Reload the page to see those that there are.`,
  );
});

test("a failure of a kind that is not known says what the server says", () => {
  expect(exportFailureWords({ __typename: "SomethingNew", message: "No." })).toBe("No.");
});

test("a token that does not allow it says what to sign in with", () => {
  const error = refused("FORBIDDEN", "This needs a token with the scope exports.");
  const words = "This needs a token with the scope exports. Sign out, and in again with such a token.";
  expect(changeErrorWords(error)).toBe(words);
  expect(readErrorWords(error)).toBe(words);
});

test("after too many requests the message says when to try again", () => {
  const error = refused("RATE_LIMITED", "Too many requests: ask again in 9 s.");
  expect(changeErrorWords(error)).toBe("Too many requests: ask again in 9 s. Nothing was done.");
});

test("a lost answer leaves open whether it was done, and pressing again is safe", () => {
  expect(changeErrorWords(new TypeError("Failed to fetch"))).toBe(
    "movieql does not answer. This may have arrived or not. Press again: nothing is done twice.",
  );
});

test("a fault of the server leaves it open as well", () => {
  expect(changeErrorWords(refused("INTERNAL", "Internal error; id 1."))).toBe(
    "Internal error; id 1. Nobody knows whether it was done. Press again: nothing is done twice.",
  );
});

test("a question that got no answer can be asked again", () => {
  expect(readErrorWords(new TypeError("Failed to fetch"))).toBe(
    "movieql does not answer. Try again in a moment.",
  );
  expect(readErrorWords(refused("UNAVAILABLE", "The store is down."))).toBe(
    "The store is down. Try again in a moment.",
  );
});
