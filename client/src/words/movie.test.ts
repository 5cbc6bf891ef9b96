import { expect, test } from "vitest";

import { aMoviePage, aSource } from "./builders";
import { dayWords, emptyWords, factsOf, plotWords, runtimeWords } from "./movie";

test.each([
  [121, "2 h 1 min"],
  [120, "2 h"],
  [45, "45 min"],
  [0, null],
  [-5, null],
  [null, null],
])("a runtime of %s minutes reads %s", (minutes, words) => {
  expect(runtimeWords(minutes)).toBe(words);
});

test("a day is the same day everywhere", () => {
  expect(dayWords("1977-05-25")).toBe("25 May 1977");
  expect(dayWords(null)).toBeNull();
  expect(dayWords("soon")).toBeNull();
});

test("what is not known is left out, and never a 0", () => {
  expect(factsOf(aMoviePage())).toEqual([]);
});

test("what is known is written in words", () => {
  const movie = aMoviePage({ director: "George Lucas", genres: ["Action", "Sci-Fi"] });
  const rated = { ...movie, rating: "8.7", votes: 915459, metascore: 92, runtimeMinutes: 121 };
  expect(factsOf(rated)).toEqual([
    { name: "Director", text: "George Lucas" },
    { name: "Genres", text: "Action, Sci-Fi" },
    { name: "Runtime", text: "2 h 1 min" },
    { name: "Rating", text: "8.7 of 10, by 915,459 votes" },
    { name: "Metascore", text: "92 of 100" },
  ]);
  expect(factsOf({ ...movie, rating: "8.7" })).toContainEqual({ name: "Rating", text: "8.7 of 10" });
});

test("a movie is missing only once every shop said so", () => {
  expect(emptyWords(true, false)).toBe("Asking the shops…");
  expect(emptyWords(false, false)).toBe("Not known yet.");
  expect(emptyWords(false, true)).toContain("none knows a movie");
});

test.each([
  ["OK", "Nobody told what it is about."],
  ["STALE", "Nobody told what it is about."],
  ["FAILED", "Not known yet: not every shop has answered."],
  ["SKIPPED", "Not known yet: not every shop has answered."],
] as const)("a plot is missing only once every shop answered: one is %s", (status, words) => {
  const sources = [aSource("cinemaworld", "OK"), aSource("filmworld", status)];
  expect(plotWords(aMoviePage({ sources }))).toBe(words);
  expect(plotWords(aMoviePage({ sources, plot: "In space." }))).toBe("In space.");
});
