import { expect, test } from "vitest";

import { anExport, anExportSource, NOW_MS } from "./builders";
import {
  canBeMadeAgain,
  exportWords,
  hasFile,
  isOpen,
  keptWords,
  oldSourcesWords,
  orderedWords,
  windowWords,
} from "./export";

const HALF = { done: 2_628, total: 8_000, percent: 32 };
const UNCOUNTED = { done: 0, total: null, percent: 0 };

test("one that nobody has begun waits, and has nothing to count", () => {
  const words = exportWords(anExport("QUEUED", { progress: UNCOUNTED }));
  expect(words).toEqual({ text: "Waiting until a worker is free", progress: null, tone: "open" });
});

test("one that runs says how far it is", () => {
  const words = exportWords(anExport("RUNNING", { progress: HALF }));
  expect(words).toEqual({
    text: "Running",
    progress: "32 %, 2,628 of 8,000 offers",
    tone: "open",
  });
});

test("without a count no 0 is shown", () => {
  const words = exportWords(anExport("RUNNING", { progress: UNCOUNTED }));
  expect(words.progress).toBe("counting the offers");
});

test("one that broke off says that it is tried again", () => {
  const words = exportWords(anExport("RETRYING", { progress: HALF, attempts: 2 }));
  expect(words.text).toBe("An attempt broke off: trying again, attempt 2");
  expect(words.progress).toBe("32 %, 2,628 of 8,000 offers");
});

test("one that is ready says how much is in the file", () => {
  expect(exportWords(anExport("READY"))).toEqual({
    text: "Ready: 13 rows, 1.9 kB.",
    progress: null,
    tone: "good",
  });
  expect(exportWords(anExport("READY", { gzip: true, bytes: 612 })).text).toBe(
    "Ready: 13 rows, 612 bytes compressed.",
  );
});

test("what is not known of a file is left out", () => {
  const words = exportWords(anExport("READY", { rows: null, bytes: null }));
  expect(words.text).toBe("Ready: a file.");
});

test("one that is ready in part names the shop that was not seen, and when it last was", () => {
  const sources = [
    anExportSource("cinemaworld"),
    anExportSource("filmworld", {
      state: "UNOBSERVED",
      lastObservedAt: "2026-02-26T11:00:00Z",
      rows: 0,
    }),
    anExportSource("thirdworld", { state: "UNOBSERVED", lastObservedAt: null, rows: 0 }),
  ];
  const { text, tone } = exportWords(anExport("PARTIAL", { rows: 7, sources }));
  expect(text).toBe(
    "Ready in part: 7 rows, 1.9 kB. filmworld was not seen in this window, last 3 days before " +
      "it ended. thirdworld was not seen in this window.",
  );
  expect(tone).toBe("warn");
});

test("one that failed says why, and what to do", () => {
  const next = "Make it again, or order another window.";
  const error = "No provider was observed in the window.";
  expect(exportWords(anExport("FAILED", { error })).text).toBe(`Failed: ${error} ${next}`);
  expect(exportWords(anExport("FAILED")).text).toBe(
    `Failed: nobody wrote down why. ${next}`,
  );
});

test("one that was cancelled and one that expired have no file", () => {
  expect(exportWords(anExport("CANCELLED")).text).toBe("Cancelled: there is no file.");
  expect(exportWords(anExport("EXPIRED")).text).toBe(
    "Expired: the file is no longer kept.",
  );
});

test("a state of a newer server is shown as unknown", () => {
  const each = anExport("PAUSED" as "READY");
  expect(exportWords(each).text).toBe(
    "In a state that this page does not know: reload it.",
  );
  expect(isOpen(each)).toBe(false);
});

test.each([
  ["QUEUED", true, false, false],
  ["RUNNING", true, false, false],
  ["RETRYING", true, false, false],
  ["READY", false, true, false],
  ["PARTIAL", false, true, true],
  ["FAILED", false, false, true],
  ["CANCELLED", false, false, true],
  ["EXPIRED", false, false, true],
] as const)("%s: open %s, a file %s, made again %s", (status, opened, filed, again) => {
  const each = anExport(status);
  expect(isOpen(each)).toBe(opened);
  expect(hasFile(each)).toBe(filed);
  expect(canBeMadeAgain(each)).toBe(again);
});

test("only a shop that was last seen long before the window ended is named", () => {
  const sources = [
    anExportSource("cinemaworld", { lastObservedAt: "2026-03-01T11:10:00Z" }),
    anExportSource("filmworld", { lastObservedAt: "2026-03-01T07:00:00Z" }),
  ];
  const old =
    "filmworld was last seen 5 h before the window ended: what changed after that is not in the file.";
  expect(oldSourcesWords(anExport("READY", { sources }))).toEqual([old]);
  expect(oldSourcesWords(anExport("PARTIAL", { sources }))).toEqual([old]);
  expect(oldSourcesWords(anExport("EXPIRED", { sources }))).toEqual([]);
});

test("a file says how long it is kept", () => {
  expect(keptWords(anExport("READY"))).toMatch(/^Kept until \d+ Mar 2026, \d\d:\d\d\.$/);
  expect(keptWords(anExport("RUNNING", { expiresAt: null }))).toBeNull();
});

test("an export is called by its window", () => {
  expect(windowWords(anExport("READY"))).toMatch(/^\d+ Feb 2026, .* – \d+ Mar 2026, /);
});

test("the order is described: when, of which shops, and how", () => {
  expect(orderedWords(anExport("READY"), NOW_MS)).toBe(
    "Ordered 12 min ago, of cinemaworld and filmworld.",
  );
  const gone = anExportSource("thirdworld", { provider: null });
  const each = anExport("READY", { gzip: true, sources: [gone] });
  expect(orderedWords(each, NOW_MS)).toBe("Ordered 12 min ago, of thirdworld, compressed.");
});
