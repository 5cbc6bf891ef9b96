import { expect, test } from "vitest";

import { aCatalogue, aMovie, anOffer, aSource, NOW_MS } from "./builders";
import { priceRows } from "./prices";

const BOTH_WELL = [aSource("cinemaworld", "OK"), aSource("filmworld", "OK"), aCatalogue("OK")];

test("every shop has a line, whatever it answered, and who sells nothing has none", () => {
  const movie = aMovie([anOffer("filmworld", "29.5")], BOTH_WELL, { final: true });
  const rows = priceRows(movie, NOW_MS);
  expect(rows.map(({ shop, words }) => [shop, words.text])).toEqual([
    ["cinemaworld", "not sold here"],
    ["filmworld", "$29.50"],
  ]);
});

test("the lowest price is marked, and as such only when it is certain", () => {
  const offers = [anOffer("cinemaworld", "123.5"), anOffer("filmworld", "29.5")];
  const marks = (final: boolean) =>
    priceRows(aMovie(offers, BOTH_WELL, { final }), NOW_MS).map(({ mark }) => mark);
  expect(marks(true)).toEqual(["none", "cheapest"]);
  expect(marks(false)).toEqual(["none", "cheapestSoFar"]);
});

test("a line says when it was seen", () => {
  const offers = [anOffer("cinemaworld", "123.5"), anOffer("filmworld", null, { asOf: null })];
  const rows = priceRows(aMovie(offers, BOTH_WELL, { final: false }), NOW_MS);
  expect(rows.map(({ seen }) => seen)).toEqual(["12 min ago", null]);
});
