import { expect, test } from "vitest";

import { aCatalogue, aMovie, anOffer, aSource, NOW_MS } from "./builders";
import { verdictWords } from "./verdict";

const both = [anOffer("cinemaworld", "123.5"), anOffer("filmworld", "29.5")];
const allOk = [aSource("cinemaworld", "OK"), aSource("filmworld", "OK"), aCatalogue("OK")];

test("when every shop answered, the cheapest is the cheapest, and says what it saves", () => {
  const movie = aMovie(both, allOk, { final: true, saving: "94.0" });
  expect(verdictWords(movie, NOW_MS)).toEqual({
    text: "Cheapest at filmworld",
    saving: "saves $94.00",
    isCertain: true,
    hasPrice: true,
  });
});

test("while a shop has not answered, it is the cheapest so far, and says which", () => {
  const sources = [aSource("cinemaworld", "OK"), aSource("filmworld", "FAILED")];
  const movie = aMovie([anOffer("cinemaworld", "123.5")], sources, { final: false });
  expect(verdictWords(movie, NOW_MS)).toEqual({
    text: "Cheapest so far at cinemaworld (filmworld has not answered)",
    saving: null,
    isCertain: false,
    hasPrice: true,
  });
});

test("while a shop is still being asked, the cheapest is so only so far, and nothing failed", () => {
  const sources = [aSource("cinemaworld", "OK"), aSource("filmworld", "PENDING")];
  const unread = anOffer("filmworld", null);
  const text = (...offers: typeof both) =>
    verdictWords(aMovie(offers, sources, { final: false }), NOW_MS).text;
  expect(text(anOffer("cinemaworld", "123.5"), unread)).toBe(
    "Cheapest so far at cinemaworld (filmworld is still being asked)",
  );
  expect(text(unread)).toBe("No price yet (filmworld is still being asked)");
});

test("a shop of which old prices are shown says when it answered", () => {
  const sources = [aSource("cinemaworld", "SKIPPED"), aSource("filmworld", "STALE")];
  expect(verdictWords(aMovie(both, sources, { final: false }), NOW_MS).text).toBe(
    "Cheapest so far at filmworld (cinemaworld was not asked, filmworld answered 12 min ago)",
  );
});

test("where every shop answered and nothing is certain, it says why", () => {
  const error = { code: "BAD_RESPONSE", retryable: false } as const;
  const text = (...offers: typeof both) =>
    verdictWords(aMovie(offers, allOk, { final: false }), NOW_MS).text;
  expect(text(...both)).toBe(
    "Cheapest so far at filmworld (another movie with nearly the same title may be this one)",
  );
  expect(text(anOffer("cinemaworld", "8", { error }))).toBe(
    "Cheapest so far at cinemaworld (cinemaworld lists it more than once)",
  );
  expect(text(anOffer("cinemaworld", null, { error }), anOffer("filmworld", "9"))).toBe(
    "Cheapest so far at filmworld (cinemaworld names no price)",
  );
});

test("a movie of one shop is only there, once the others said that they do not have it", () => {
  const movie = aMovie([anOffer("cinemaworld", "129.5")], allOk, { final: true });
  expect(verdictWords(movie, NOW_MS).text).toBe("Only at cinemaworld");
});

test("a server with one shop compares nothing", () => {
  const movie = aMovie([anOffer("cinemaworld", "1")], [aSource("cinemaworld", "OK")], {
    final: true,
  });
  expect(verdictWords(movie, NOW_MS).text).toBe("Cheapest at cinemaworld");
});

test("saving nothing is written in words, not as a 0", () => {
  const movie = aMovie(both, allOk, { final: true, saving: "0.00" });
  expect(verdictWords(movie, NOW_MS).saving).toBe("same price elsewhere");
});

test("no price is no verdict, with the reason", () => {
  const none = [anOffer("filmworld", null)];
  const waiting = [aSource("cinemaworld", "OK"), aSource("filmworld", "FAILED")];
  expect(verdictWords(aMovie(none, waiting, { final: false }), NOW_MS).text).toBe(
    "No price yet (filmworld has not answered)",
  );
  expect(verdictWords(aMovie(none, allOk, { final: true }), NOW_MS)).toMatchObject({
    text: "No shop names a price",
    hasPrice: false,
  });
});

test("a catalogue that is down says nothing about prices", () => {
  const sources = [...allOk.slice(0, 2), aCatalogue("FAILED")];
  const movie = aMovie(both, sources, { final: true, saving: "94" });
  expect(verdictWords(movie, NOW_MS).text).toBe("Cheapest at filmworld");
});
