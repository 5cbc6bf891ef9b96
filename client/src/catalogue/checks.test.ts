import { expect, test } from "vitest";

import { unreadable } from "./checks";
import { EMPTY } from "./fields";

test.each([
  ["", "", "year"],
  ["19x5", "", "year"],
  ["19955", "", "year"],
  ["1995", "2 h", "runtimeMinutes"],
  ["1995", "-1", "runtimeMinutes"],
  ["1995", "999999", "runtimeMinutes"],
  [" 1995 ", " 170 ", undefined],
  ["1500", "0", undefined],
])("of the year %j and the minutes %j, what is no number is %s", (year, runtimeMinutes, field) => {
  expect(unreadable({ name: "Heat", year }, { ...EMPTY, runtimeMinutes })?.field).toBe(field);
});
