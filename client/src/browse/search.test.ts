import { expect, test } from "vitest";

import { filtersCount, questionOf, searchOf, withPart } from "./search";

const of = (text: string) => searchOf(new URLSearchParams(text));

test("an address without a search asks for everything by title", () => {
  expect(questionOf(of(""))).toEqual({
    filter: {
      title: null, genre: null, yearFrom: null, yearTo: null, priceTo: null, providers: null,
    },
    field: "TITLE",
    direction: "ASC",
  });
});

test("everything in the address is part of the search", () => {
  const search = of(
    "title= hope &order=Price, lowest first&genre=Sci-Fi&yearFrom=1977&yearTo=1983&priceTo=29.50&shop=filmworld",
  );
  expect(questionOf(search)).toEqual({
    filter: {
      title: "hope",
      genre: "Sci-Fi",
      yearFrom: 1977,
      yearTo: 1983,
      priceTo: "29.50",
      providers: ["filmworld"],
    },
    field: "PRICE",
    direction: "ASC",
  });
  expect(filtersCount(search)).toBe(5);
});

test.each(["cheap", "-1", "1e3", "12.", "NaN", "1,5"])("%s is not a valid price", (text) => {
  expect(questionOf({ ...of(""), priceTo: text }).filter?.priceTo).toBeNull();
});

test.each(["19x", "-5", "20000", "1.5"])("%s is not a valid year", (text) => {
  expect(questionOf({ ...of(""), yearFrom: text }).filter?.yearFrom).toBeNull();
});

test("an unknown order falls back to the first one", () => {
  expect(of("order=nonsense").order).toBe("Title");
});

test("an emptied field is removed from the address", () => {
  const params = new URLSearchParams("title=jedi&genre=Drama");
  expect(withPart(params, { title: "" }).toString()).toBe("genre=Drama");
  expect(withPart(params, { shop: "filmworld" }).toString()).toBe(
    "title=jedi&genre=Drama&shop=filmworld",
  );
});
