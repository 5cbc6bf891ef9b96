import { expect, test } from "vitest";

import type { SourceErrorCode } from "../graphql/generated";
import { aSource, NOW_MS } from "./builders";
import { isPending, sourceWords } from "./source";

const POLL_MS = 2_000;

function failure(code: SourceErrorCode, retryable = true, retryAfterMs: number | null = null) {
  return { error: { code, retryable, retryAfterMs } };
}

test("a provider that is well has no banner", () => {
  expect(sourceWords(aSource("filmworld", "OK"), NOW_MS, POLL_MS)).toBeNull();
});

test("old data that is being renewed is no trouble", () => {
  expect(sourceWords(aSource("filmworld", "STALE"), NOW_MS, POLL_MS)).toBeNull();
});

test("a provider that was left out on purpose has no banner", () => {
  expect(sourceWords(aSource("filmworld", "SKIPPED"), NOW_MS, POLL_MS)).toBeNull();
});

test.each([
  [1_200, 6_000, "filmworld: still reading prices, 1,200 of 6,000."],
  [0, 7, "filmworld: still reading prices, 0 of 7."],
  [7, 7, "filmworld: still being asked."],
  [null, null, "filmworld: still being asked."],
])("a provider that was not waited for says how far it is, and is no trouble: %s of %s", (known, expected, what) => {
  const source = aSource("filmworld", "PENDING", { detailsKnown: known, detailsExpected: expected });
  expect(sourceWords(source, NOW_MS, POLL_MS)).toEqual({ what, isTrouble: false, effect: "", next: "" });
  expect(isPending([aSource("cinemaworld", "OK"), source])).toBe(true);
});

test("of the catalogue descriptions are read, not prices", () => {
  const provider = { id: "house", name: "House catalogue", sells: false };
  const source = aSource("house", "PENDING", { provider, detailsKnown: 3, detailsExpected: 20 });
  expect(sourceWords(source, NOW_MS, POLL_MS)?.what).toBe(
    "House catalogue: still reading descriptions, 3 of 20.",
  );
});

test.each(["OK", "STALE", "SKIPPED", "FAILED"] as const)("nothing is awaited of what is %s", (status) => {
  expect(isPending([aSource("filmworld", status)])).toBe(false);
});

test("a failed provider says why, what is missing, and when it is tried again", () => {
  const source = aSource("filmworld", "FAILED", failure("TIMEOUT"));
  expect(sourceWords(source, NOW_MS, POLL_MS)).toEqual({
    what: "filmworld took too long to answer.",
    isTrouble: true,
    effect: "Its prices may be missing.",
    next: "Tried again every 2 s.",
  });
});

test("a provider of which old data is shown says how old that is", () => {
  const source = aSource("filmworld", "STALE", failure("UNAVAILABLE"));
  expect(sourceWords(source, NOW_MS, POLL_MS)?.effect).toBe("Its prices are 12 min old.");
});

test("a provider that asks for a longer wait gets it", () => {
  const source = aSource("filmworld", "FAILED", failure("RATE_LIMITED", true, 40_500));
  expect(sourceWords(source, NOW_MS, POLL_MS)?.next).toBe("Tried again in 41 s.");
});

test("an error that trying again cannot repair does not promise that", () => {
  const source = aSource("filmworld", "FAILED", failure("UNAUTHORIZED", false));
  expect(sourceWords(source, NOW_MS, POLL_MS)?.next).toBe(
    "It has to be repaired; trying again does not help.",
  );
});

test("without the catalogue descriptions are missing, not prices", () => {
  const provider = { id: "house", name: "House catalogue", sells: false };
  const source = aSource("house", "FAILED", { provider, ...failure("INTERNAL") });
  expect(sourceWords(source, NOW_MS, POLL_MS)?.effect).toBe("Its descriptions may be missing.");
});

test.each([null, "SOMETHING_NEW"])("an unknown reason (%s) is shown as a failure", (code) => {
  const error = code ? failure(code as SourceErrorCode) : {};
  const words = sourceWords(aSource("filmworld", "FAILED", error), NOW_MS, POLL_MS);
  expect(words?.what).toBe("filmworld could not be asked.");
});
