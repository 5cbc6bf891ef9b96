import { expect, test } from "vitest";

import { operationOf } from "./operationOf";

const TWO = "query One { a } subscription Two { a } fragment F on A { a }";

test.each([
  [TWO, "Two", "Two", true],
  [TWO, "OfTheTabBefore", "One", false],
  [TWO, null, "One", false],
  ["subscription Two { a }", "OfTheTabBefore", "Two", true],
  ["{ a }", "OfTheTabBefore", null, false],
  ["subscription { a }", undefined, null, true],
  ["fragment F on A { a }", "F", null, false],
])("of %s and the name %s, what is run is %s", (text, name, operationName, isSubscription) => {
  expect(operationOf(text, name)).toEqual({ operationName, isSubscription });
});

test("what is no GraphQL is sent as it is", () => {
  const told = { operationName: "One", isSubscription: false };
  expect(operationOf("subscription One {", "One")).toEqual(told);
});
