import { expect, test } from "vitest";

import { watchWords } from "./breaking";

function shop(name: string, mode: string, endpoint = "all") {
  return { name, mode, endpoint };
}

const well = shop("Cinemaworld", "ok");

test("while all are well there is nothing to see yet", () => {
  expect(watchWords([well, shop("Filmworld", "ok")])).toMatch(/^All shops are well\./);
});

test.each(["hang", "500", "empty", "something-new"])("the prices of a shop in %s get old", (mode) => {
  expect(watchWords([well, shop("Filmworld", mode)])).toBe(
    "Watch the prices of Filmworld get an age, and “cheapest” become “so far”.",
  );
});

test("a list that is gone leaves prices as they are, and nobody is sure of them", () => {
  expect(watchWords([well, shop("Filmworld", "500", "list")])).toBe(
    "Watch “cheapest” become “so far”, while the prices of Filmworld stay.",
  );
});

test.each(["flapping", "observed"])("most faults of a shop in %s are repaired unseen", (mode) => {
  expect(watchWords([well, shop("Filmworld", mode)])).toBe(
    "Whenever Filmworld fails, it is asked again at once: little is seen of it.",
  );
});

test("shops with the same effect share a sentence", () => {
  expect(watchWords([shop("Cinemaworld", "hang"), shop("Filmworld", "500")])).toBe(
    "Watch the prices of Cinemaworld and Filmworld get an age, and “cheapest” become “so far”.",
  );
  expect(watchWords([shop("Cinemaworld", "flapping"), shop("Filmworld", "observed")])).toMatch(
    /^Whenever Cinemaworld or Filmworld fails/,
  );
});

test("shops with different effects have a sentence each", () => {
  expect(watchWords([shop("Cinemaworld", "flapping"), shop("Filmworld", "500")])).toMatch(
    /Filmworld get an age.*Whenever Cinemaworld/,
  );
});
