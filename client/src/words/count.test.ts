import { expect, test } from "vitest";

import { countWords } from "./count";

test.each([
  [0, "no rows"],
  [1, "1 row"],
  [2, "2 rows"],
  [8_000, "8,000 rows"],
])("%i is written with what it counts", (count, words) => {
  expect(countWords(count, "row")).toBe(words);
});
