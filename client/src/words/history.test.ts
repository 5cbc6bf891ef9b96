import { expect, test } from "vitest";

import { aPricePoint, NOW_MS } from "./builders";
import { momentWords, pointWords } from "./history";

const clock = (ms: number) =>
  new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

test("a moment of today is a time, and one of another day has its day", () => {
  expect(momentWords(NOW_MS, NOW_MS)).toBe(clock(NOW_MS));
  const before = NOW_MS - 3 * 86_400_000;
  expect(momentWords(before, NOW_MS)).toBe(`${new Date(before).getDate().toString()} Feb, ${clock(before)}`);
});

test("the same time of yesterday has its day", () => {
  expect(momentWords(NOW_MS - 86_400_000, NOW_MS)).toContain("Feb");
});

test("a price says where and from when on it was seen", () => {
  const point = aPricePoint("filmworld", "29.5", 0);
  expect(pointWords(point, NOW_MS)).toBe(`$29.50 at filmworld, seen from ${clock(NOW_MS)}`);
});
