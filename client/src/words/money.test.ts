import { expect, test } from "vitest";

import { isZero, moneyWords } from "./money";

test.each([
  ["29.5", "AUD", "$29.50"],
  ["29", "AUD", "$29.00"],
  ["123343.5", "AUD", "$123,343.50"],
  ["29.505", "AUD", "$29.505"],
  ["1200", "JPY", "¥1,200"],
  ["9007199254740993.25", "AUD", "$9,007,199,254,740,993.25"],
])("%s %s is written %s, with no digit lost", (amount, currency, words) => {
  expect(moneyWords({ amount, currency })).toBe(words);
});

test.each([
  ["0", true],
  ["0.00", true],
  ["0.01", false],
  ["10", false],
])("whether %s is nothing: %s", (amount, expected) => {
  expect(isZero({ amount, currency: "AUD" })).toBe(expected);
});
