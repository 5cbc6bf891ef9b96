// @vitest-environment node
import { expect, test } from "vitest";

import { persistedQueries, sha256 } from "./persistedQueries";

test("a hash is what the server expects of a text", async () => {
  expect(await sha256("{ providers { id } }é")).toMatch(/^[0-9a-f]{64}$/);
  expect(await sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("a page that may not hash sends its queries whole", () => {
  expect(persistedQueries()).toEqual([]); // node says nothing of secure contexts
});
