import { expect, test } from "vitest";

import { operationTabs } from "./operations";
import { makeTabs } from "./tabs";

const folder = "../../../schema/operations/";

test("CheapestMovies comes first and the others follow by name", () => {
  const documents = {
    [`${folder}Zebra.graphql`]: "query Zebra { a }",
    [`${folder}Export.graphql`]: "mutation Export { a }",
    [`${folder}CheapestMovies.graphql`]: "query CheapestMovies { a }",
    [`${folder}Movie.graphql`]: "query Movie { a }",
  };
  const expected = [
    "query CheapestMovies { a }",
    "mutation Export { a }",
    "query Movie { a }",
    "query Zebra { a }",
  ];

  expect(makeTabs(documents).map((tab) => tab.query)).toEqual(expected);

  const reversed = Object.fromEntries(Object.entries(documents).reverse());
  expect(makeTabs(reversed).map((tab) => tab.query)).toEqual(expected);
});

test("the operation's name decides, not the file's", () => {
  const tabs = makeTabs({
    "a.graphql": "query Second { a }",
    "b.graphql": "query CheapestMovies { a }",
  });

  expect(tabs[0]?.query).toBe("query CheapestMovies { a }");
});

test.each([
  ["{ movies { title } }", "query top_ten { movies { title } }"],
  ["# why\n{ a }", "# why\nquery top_ten { a }"],
  ["query ($first: Int) { a }", "query top_ten ($first: Int) { a }"],
  ["mutation { a }", "mutation top_ten { a }"],
])("an operation without a name gets the name of its file: %s", (text, query) => {
  expect(makeTabs({ [`${folder}top-ten.graphql`]: text })).toEqual([{ query }]);
});

test("a file name that starts with a digit still makes a valid name", () => {
  expect(makeTabs({ "10best.graphql": "{ a }" })).toEqual([{ query: "query _10best { a }" }]);
});

test("a document of fragments only makes no tab", () => {
  expect(makeTabs({ "Price.graphql": "fragment Price on Money { amount }" })).toEqual([]);
});

test("a document with a syntax error is shown as it is", () => {
  expect(makeTabs({ "Broken.graphql": "query Broken {" })).toEqual([{ query: "query Broken {" }]);
});

test("variables come from the file beside the document", () => {
  const tabs = makeTabs(
    { [`${folder}Movie.graphql`]: "query Movie($id: ID!) { a }" },
    { [`${folder}Movie.variables.json`]: '{"id": "1"}' },
  );

  expect(tabs).toEqual([{ query: "query Movie($id: ID!) { a }", variables: '{"id": "1"}' }]);
});

test("the operations of this repository start with CheapestMovies", () => {
  expect(operationTabs()[0]?.query).toContain("query CheapestMovies");
});
