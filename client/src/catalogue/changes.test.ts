import { expect, test } from "vitest";

import { changesOf, isUnchanged } from "./changes";
import { type Draft, EMPTY } from "./fields";

const HEAT: Draft = {
  ...EMPTY,
  director: "Michael Mann",
  genres: "Crime, Drama",
  runtimeMinutes: "170",
};

test("unchanged fields are not written", () => {
  expect(changesOf(HEAT, HEAT)).toEqual({});
  expect(isUnchanged(HEAT, HEAT)).toBe(true);
});

test("meaningless blanks and commas are no change", () => {
  const now = { ...HEAT, director: " Michael Mann ", genres: "Crime ,Drama," };
  expect(changesOf(HEAT, now)).toEqual({});
});

test("only changed fields are written, each with its type", () => {
  const now = {
    ...HEAT,
    genres: "Crime,  Thriller",
    plot: " A heist. ",
    released: "1995-12-15",
    runtimeMinutes: "171",
  };
  expect(changesOf(HEAT, now)).toEqual({
    genres: ["Crime", "Thriller"],
    plot: "A heist.",
    released: "1995-12-15",
    runtimeMinutes: 171,
  });
});

test.each([
  ["director", " "],
  ["genres", " , "],
  ["runtimeMinutes", ""],
] as const)("%s that was emptied is removed", (name, text) => {
  expect(changesOf(HEAT, { ...HEAT, [name]: text })).toEqual({ [name]: null });
});
