import { expect, test } from "vitest";

import { countWords, movieWords } from "./entry";

test("a movie is named with its year, without the blanks that came along", () => {
  expect(movieWords({ name: " Heat ", year: "1995 " })).toBe("“Heat” (1995)");
});

test.each([
  [1, "1 movie of our own"],
  [1_200, "1,200 movies of our own"],
])("%i entries are counted as %s", (count, words) => {
  expect(countWords(count)).toBe(words);
});
