import { CombinedGraphQLErrors } from "@apollo/client";
import { expect, test } from "vitest";

import { CatalogueSilentError, failureWords, refusalWords, unreadWords } from "./refusal";

function coded(code: string, message = "No."): CombinedGraphQLErrors {
  return new CombinedGraphQLErrors({ errors: [{ message, extensions: { code } }] });
}

test("a value that the server does not allow is reported at its field", () => {
  const path = ["input", "poster"];
  expect(refusalWords({ __typename: "ValidationFailed", message: "No address.", path })).toEqual({
    text: "No address.",
    field: "poster",
    isUncertain: false,
  });
});

test("an error in a list names the element", () => {
  const path = ["input", "genres", "1"];
  const refusal = refusalWords({ __typename: "ValidationFailed", message: "Too long.", path });
  expect(refusal).toMatchObject({ field: "genres", text: "Number 2 of the list: Too long." });
});

test("what is about the input as a whole is about no field", () => {
  const refusal = refusalWords({ __typename: "ValidationFailed", message: "Too large.", path: ["input"] });
  expect(refusal).toMatchObject({ field: null, text: "Too large." });
});

test("a write of which nobody knows whether it happened is looked at first", () => {
  const refusal = refusalWords({
    __typename: "CatalogueUnavailable",
    message: "The object store does not answer.",
    retryable: true,
    mayHaveHappened: true,
  });
  expect(refusal.isUncertain).toBe(true);
  expect(refusal.text).toContain("look at the entry before you try again");
});

test.each([
  [true, "Try again in a moment."],
  [false, "Trying again does not help."],
])("a catalogue that cannot be written says whether trying again helps (%s)", (retryable, next) => {
  const refusal = refusalWords({
    __typename: "CatalogueUnavailable",
    message: "It is busy.",
    retryable,
    mayHaveHappened: false,
  });
  expect(refusal.text).toBe(`It is busy. ${next} What you entered is still here.`);
  expect(refusal.isUncertain).toBe(false);
});

test("a full catalogue says how to make room", () => {
  const refusal = refusalWords({ __typename: "CatalogueFull", message: "It is full." });
  expect(refusal.text).toContain("Delete a movie to make room.");
});

test("a failure that this page does not know yet says what the server says", () => {
  const refusal = refusalWords({ __typename: "QuotaExceeded", message: "Too many." });
  expect(refusal.text).toBe("Too many.");
});

test("a lost answer to a write is no proof that nothing was written", () => {
  expect(failureWords(new TypeError("Failed to fetch"))).toMatchObject({ isUncertain: true });
  expect(failureWords(coded("INTERNAL"))).toMatchObject({ isUncertain: true });
});

test.each([
  ["UNAUTHENTICATED", "sign in again"],
  ["FORBIDDEN", "sign in as somebody who may"],
  ["RATE_LIMITED", "Nothing was saved."],
])("%s says what to do, and that nothing is lost", (code, next) => {
  const refusal = failureWords(coded(code));
  expect(refusal.text).toContain(next);
  expect(refusal.text).toContain("What you entered is still here.");
  expect(refusal.isUncertain).toBe(false);
});

test("what could not even be read was not written", () => {
  expect(unreadWords(new CatalogueSilentError(), false)).toEqual({
    text:
      "The house catalogue does not answer. Nothing was saved: try again in a moment. " +
      "What you entered is still here.",
    field: null,
    isUncertain: false,
  });
});

test("who looks after an uncertain write and sees nothing knows no more than before", () => {
  const refusal = unreadWords(new TypeError("Failed to fetch"), true);
  expect(refusal.text).toMatch(/^movieql does not answer\. Nobody knows yet/);
  expect(refusal.isUncertain).toBe(true);
});
