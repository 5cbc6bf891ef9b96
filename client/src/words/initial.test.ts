import { afterEach, expect, test, vi } from "vitest";

import { initialOf } from "./initial";

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each([
  ["Alien", "A"],
  ["élan", "É"],
  ["e\u0301lan", "E\u0301"],
  ["😀 Smile", "😀"],
  ["👨‍👩‍👧 Family", "👨‍👩‍👧"],
  ["👍🏽 Yes", "👍🏽"],
  ["🇦🇺 Australia", "🇦🇺"],
  ["9½ Weeks", "9"],
  ["मोहन", "मो"],
  ["\u200e  Alien", "A"],
  ["", ""],
  [" ", ""],
])("the first character of %j is %j", (title, initial) => {
  expect(initialOf(title)).toBe(initial);
});

test.each([
  ["Alien", "A"],
  ["e\u0301lan", "É"],
  ["😀 Smile", "😀"],
])("a browser that cannot count characters halves none: %j begins with %j", (title, initial) => {
  vi.stubGlobal("Intl", { ...Intl, Segmenter: undefined });
  expect(initialOf(title)).toBe(initial);
});
