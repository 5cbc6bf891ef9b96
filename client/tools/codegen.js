// `node tools/codegen.js` writes src/graphql/generated.ts from the schema and the operations.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { codegen } from "@graphql-codegen/core";
import * as documentNode from "@graphql-codegen/typed-document-node";
import * as operationTypes from "@graphql-codegen/typescript-operations";
import { buildASTSchema, isAbstractType, parse } from "graphql";

const SCHEMA = new URL("../../schema/", import.meta.url);
export const GENERATED = new URL("../src/graphql/generated.ts", import.meta.url);

const config = {
  // As they are in JSON. A Decimal is text: a float would change a price.
  scalars: { Decimal: "string", DateTime: "string", Date: "string", BigInt: "number" },
  defaultScalarType: "unknown",
  strictScalars: true,
  enumType: "string-literal",
  enumsAsTypes: true,
  useTypeImports: true,
  skipTypename: true,
  dedupeFragments: true,
  avoidOptionals: false,
};

/** The text that GENERATED has to have. */
export async function generate() {
  const operations = new URL("operations/", SCHEMA);
  const files = readdirSync(operations).filter((name) => name.endsWith(".graphql"));
  const schema = parse(readFileSync(new URL("schema.graphql", SCHEMA), "utf8"));
  const body = await codegen({
    filename: "generated.ts",
    schema,
    documents: files.sort().map((name) => ({
      location: name,
      document: parse(readFileSync(new URL(name, operations), "utf8"), { noLocation: true }),
    })),
    config,
    plugins: [{ operationTypes: {} }, { documentNode: {} }],
    pluginMap: { operationTypes, documentNode },
  });
  return [
    "// Made by `npm run codegen` from ../schema; do not edit.",
    body,
    "/** The types that stand for several: Apollo's cache matches fragments by it. */",
    `export const possibleTypes = ${JSON.stringify(possibleTypes(schema), null, 2)};\n`,
  ].join("\n");
}

function possibleTypes(document) {
  const schema = buildASTSchema(document);
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(
    abstract.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(GENERATED, await generate());
