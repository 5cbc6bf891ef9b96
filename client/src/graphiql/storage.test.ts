import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { pageStorage } from "./storage";

const tabs = [{ query: "query CheapestMovies { a }" }];

beforeEach(() => {
  localStorage.clear();
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("the state of another GraphiQL on the same host is neither seen nor cleared", () => {
  localStorage.setItem("graphiql:tabState", "theirs");
  const storage = pageStorage(tabs);

  expect(storage.getItem("graphiql:tabState")).toBeNull();
  storage.setItem("graphiql:tabState", "ours");
  storage.clear();

  expect(storage.length).toBe(0);
  expect(localStorage.getItem("graphiql:tabState")).toBe("theirs");
});

test("tabs of an earlier visit stay while the default tabs are the same", () => {
  pageStorage(tabs).setItem("graphiql:tabState", "mine");

  expect(pageStorage(tabs).getItem("graphiql:tabState")).toBe("mine");
});

test("new default tabs replace the earlier ones and keep history and theme", () => {
  const before = pageStorage(tabs);
  before.setItem("graphiql:tabState", "old");
  before.setItem("graphiql:query", "old");
  before.setItem("graphiql:theme", "dark");
  before.setItem("graphiql:queries", '{"queries":[]}');

  const after = pageStorage([...tabs, { query: "query Movie { a }" }]);

  expect(after.getItem("graphiql:tabState")).toBeNull();
  expect(after.getItem("graphiql:query")).toBeNull();
  expect(after.getItem("graphiql:theme")).toBe("dark");
  expect(after.getItem("graphiql:queries")).toBe('{"queries":[]}');
});

test.each(["queries", "favorites"])("the history (%s) forgets headers: one may hold a token", (key) => {
  const run = { query: "{ a }", variables: '{"headers": 1}', headers: '{"Authorization": "x"}' };
  const storage = pageStorage(tabs);
  storage.setItem(`graphiql:${key}`, JSON.stringify({ [key]: [run] }));

  expect(JSON.parse(storage.getItem(`graphiql:${key}`) ?? "")).toEqual({
    [key]: [{ query: run.query, variables: run.variables }],
  });
});

test("a browser that forbids storage gets a page that forgets", () => {
  vi.spyOn(window, "localStorage", "get").mockImplementation(() => {
    throw new DOMException("denied", "SecurityError");
  });

  const storage = pageStorage(tabs);
  storage.setItem("graphiql:theme", "dark");

  expect(storage.getItem("graphiql:theme")).toBe("dark");
  expect(storage.length).toBe(1);
  expect(pageStorage(tabs).getItem("graphiql:theme")).toBeNull();
});
