import { expect, test } from "vitest";

import { changerWords, goneWords, meetingWords, valueWords } from "./conflict";

test("the text says first who saved meanwhile, and that nothing is lost", () => {
  expect(meetingWords("changed", "“Heat” (1995)")).toBe(
    "Somebody else changed “Heat” (1995) while you had it open. " +
      "Nothing of yours is saved yet: choose what to keep of what differs.",
  );
});

test("a movie that is there already was changed by nobody", () => {
  expect(meetingWords("existed", "“Heat” (1995)")).toMatch(/^The house catalogue has “Heat” \(1995\) already\./);
});

test("an entry that is gone can be added again", () => {
  expect(goneWords("“Heat” (1995)")).toContain("add it again, or discard it");
});

test.each([
  ["me", "changed", "only you changed it"],
  ["them", "changed", "only they changed it"],
  ["both", "changed", "both of you changed it"],
  ["me", "existed", "only you have something"],
  ["them", "existed", "only the catalogue has something"],
  ["both", "existed", "both have something"],
] as const)("of a field that is different by %s (%s) it says: %s", (changedBy, how, words) => {
  expect(changerWords(changedBy, how)).toBe(words);
});

test("an empty field is shown as a word", () => {
  expect(valueWords(" ")).toBe("nothing");
  expect(valueWords("Crime")).toBe("Crime");
});
