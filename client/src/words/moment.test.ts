import { expect, test } from "vitest";

import { momentWords, zoneName } from "./moment";

test("a moment is written in the reader's time zone", () => {
  expect(momentWords("2026-03-01T23:30:00Z", "UTC")).toBe("1 Mar 2026, 23:30");
  expect(momentWords("2026-03-01T23:30:00Z", "Europe/Zurich")).toBe("2 Mar 2026, 00:30");
});

test("the zone has a name", () => {
  expect(zoneName()).not.toBe("");
});
