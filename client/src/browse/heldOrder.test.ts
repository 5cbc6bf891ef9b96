import { expect, test } from "vitest";

import { heldOrder } from "./heldOrder";

test.each([
  [["a", "b", "c"], ["c", "a", "b"], ["a", "b", "c"]],
  [["a", "b"], ["new", "b", "a"], ["a", "b", "new"]],
  [["a", "b", "c"], ["c", "a"], ["a", "c"]],
  [[], ["b", "a"], ["b", "a"]],
])("%j stays as it is when %j comes", (before, now, held) => {
  expect(heldOrder(before, now)).toEqual(held);
});
