import { expect, test } from "vitest";

import { listOf, listText } from "./lists";

test.each([
  ["", []],
  [" , ,", []],
  ["Crime", ["Crime"]],
  [" Crime ,Drama,", ["Crime", "Drama"]],
  ['"Sammy Davis, Jr.", Dean Martin', ["Sammy Davis, Jr.", "Dean Martin"]],
  ['"Weird Al" Yankovic, Madonna', ['"Weird Al" Yankovic', "Madonna"]],
  ['"never closed, at all', ['"never closed', "at all"]],
  ['Crime, ""', ["Crime"]],
])("%j is the list %j", (text, elements) => {
  expect(listOf(text)).toEqual(elements);
});

test.each([
  [[]],
  [["Crime", "Drama"]],
  [["Sammy Davis, Jr.", "Dean Martin"]],
  [['"Weird Al" Yankovic', '"Quoted"', 'a "b", c', '"']],
])("the list %j is read from the text that is made of it", (elements) => {
  expect(listOf(listText(elements))).toEqual(elements);
});
