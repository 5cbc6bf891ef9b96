import { expect, test } from "vitest";

import { anOffer, aSource, NOW_MS } from "./builders";
import { absenceWords, offerWords } from "./offer";

test("a fresh price is the price alone", () => {
  expect(offerWords(anOffer("filmworld", "29.5"), NOW_MS)).toEqual({
    text: "$29.50",
    isPrice: true,
    note: null,
    action: null,
  });
});

test("a price that its shop contradicts says so", () => {
  const error = { code: "BAD_RESPONSE" as const, retryable: false };
  expect(offerWords(anOffer("filmworld", "29.5", { error }), NOW_MS).note).toBe(
    "listed more than once",
  );
});

test("an old price says how old it is and can be refreshed", () => {
  expect(offerWords(anOffer("filmworld", "29.5", { stale: true }), NOW_MS)).toEqual({
    text: "$29.50",
    isPrice: true,
    note: "12 min old",
    action: "refresh",
  });
});

test("an old price of nobody knows when says so", () => {
  const offer = anOffer("filmworld", "29.5", { stale: true, asOf: null });
  expect(offerWords(offer, NOW_MS).note).toBe("of unknown age");
});

test("a listed movie without a price is unavailable, not 0, and can be tried again", () => {
  const error = { code: "TIMEOUT" as const, retryable: true };
  expect(offerWords(anOffer("filmworld", null, { error }), NOW_MS)).toEqual({
    text: "price unavailable",
    isPrice: false,
    note: null,
    action: "retry",
  });
});

test("a price that was not waited for is being read, and nobody has to try again", () => {
  expect(offerWords(anOffer("filmworld", null), NOW_MS)).toEqual({
    text: "reading the price…",
    isPrice: false,
    note: null,
    action: null,
  });
});

test("what trying again cannot mend has no button for it", () => {
  const error = { code: "UNAUTHORIZED" as const, retryable: false };
  expect(offerWords(anOffer("filmworld", null, { error }), NOW_MS).action).toBeNull();
});

test("a shop that answered without the movie does not sell it", () => {
  const words = absenceWords(aSource("filmworld", "OK"), NOW_MS);
  expect(words).toEqual({ text: "not sold here", isPrice: false, note: null, action: null });
});

test("a shop that did not have it some time ago may have it by now", () => {
  const words = absenceWords(aSource("filmworld", "STALE"), NOW_MS);
  expect(words).toMatchObject({ text: "not sold here", note: "12 min ago", action: "refresh" });
});

test.each([
  ["FAILED", "no answer yet", "retry"],
  ["PENDING", "still being asked", null],
  ["SKIPPED", "not asked", null],
] as const)("of a %s shop nobody knows whether it has it", (status, text, action) => {
  const words = absenceWords(aSource("filmworld", status, { asOf: null }), NOW_MS);
  expect(words).toMatchObject({ text, isPrice: false, action });
});
