import { describe, expect, test } from "vitest";

import { EMPTY, FIELDS } from "./fields";
import { type Choices, differencesOf, mergedOf, presetOf, unchosen } from "./merge";

const TEXTS = ["", "a", "b", "c"];
const CASES = TEXTS.flatMap((before) =>
  TEXTS.flatMap((mine) => TEXTS.map((theirs) => ({ before, mine, theirs }))),
);

describe.each(["director", "genres", "plot"] as const)("of %s", (name) => {
  test.each(CASES)("what began as '$before', is '$mine' here and '$theirs' there", (texts) => {
    const [before, mine, theirs] = [texts.before, texts.mine, texts.theirs].map((text) => ({
      ...EMPTY,
      [name]: text,
    })) as [typeof EMPTY, typeof EMPTY, typeof EMPTY];
    const differences = differencesOf(before, mine, theirs);
    const preset = presetOf(differences);
    const open = unchosen(differences, preset);

    // A person sees exactly what differs, and is asked exactly where both changed it.
    expect(differences).toHaveLength(texts.mine === texts.theirs ? 0 : 1);
    const both = texts.mine !== texts.before && texts.theirs !== texts.before;
    expect(open).toHaveLength(both && texts.mine !== texts.theirs ? 1 : 0);

    // What only one changed is kept without asking.
    const merged = mergedOf(mine, theirs, preset)[name];
    if (texts.mine === texts.before) expect(merged).toBe(texts.theirs);
    else if (texts.theirs === texts.before) expect(merged).toBe(texts.mine);

    // What is chosen is what is kept, and no other field is touched.
    for (const side of ["mine", "theirs"] as const) {
      const chosen: Choices = { [name]: side };
      expect(mergedOf(mine, theirs, chosen)).toEqual({ ...EMPTY, [name]: texts[side] });
      expect(unchosen(differences, { ...preset, ...chosen })).toEqual([]);
    }
  });
});

test("each field is merged by itself", () => {
  const before = { ...EMPTY, director: "M. Mann", genres: "Crime", plot: "A heist." };
  const mine = { ...before, director: "Michael Mann", plot: "Two men." };
  const theirs = { ...before, genres: "Crime, Drama", plot: "Cops and robbers." };
  const differences = differencesOf(before, mine, theirs);
  expect(differences.map(({ field, changedBy }) => [field.name, changedBy])).toEqual([
    ["director", "me"],
    ["genres", "them"],
    ["plot", "both"],
  ]);
  const choices = { ...presetOf(differences), plot: "mine" } as const;
  expect(mergedOf(mine, theirs, choices)).toEqual({
    ...before,
    director: "Michael Mann",
    genres: "Crime, Drama",
    plot: "Two men.",
  });
});

test("what differs by blanks alone is the same", () => {
  const mine = { ...EMPTY, genres: "Crime,Drama ", plot: " x" };
  expect(differencesOf(EMPTY, mine, { ...EMPTY, genres: "Crime, Drama", plot: "x" })).toEqual([]);
});

test("every field of an entry can be in a conflict", () => {
  const mine = Object.fromEntries(FIELDS.map(({ name }) => [name, "1"])) as typeof EMPTY;
  expect(differencesOf(EMPTY, mine, EMPTY)).toHaveLength(FIELDS.length);
});
