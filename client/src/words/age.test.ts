import { expect, test } from "vitest";

import { spanWords } from "./age";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");

test.each([
  ["2026-03-01T11:59:15Z", "45 s"],
  ["2026-03-01T11:48:00Z", "12 min"],
  ["2026-03-01T11:00:01Z", "59 min"],
  ["2026-03-01T09:00:00Z", "3 h"],
  ["2026-02-28T11:00:00Z", "1 day"],
  ["2026-02-20T12:00:00+00:00", "9 days"],
  ["2026-03-01T12:00:09Z", "0 s"],
])("what was seen at %s is %s old", (asOf, words) => {
  expect(spanWords(asOf, NOW_MS)).toBe(words);
});
