// @vitest-environment node
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { GENERATED, generate } from "../../tools/codegen.js";

test("the types are those of the schema and the operations (`npm run codegen`)", async () => {
  expect(readFileSync(GENERATED, "utf8")).toBe(await generate());
});
