// @vitest-environment node
// Relay keeps every object under its id alone, whatever its type. The answer is the server's: a
// test of the server asks the query beside it and compares.
import {
  createOperationDescriptor,
  Environment,
  Network,
  RecordSource,
  Store,
} from "relay-runtime";
import { afterEach, expect, test, vi } from "vitest";

import answer from "../testing/movieWithEntry.json";

interface Scalar {
  kind: "ScalarField";
  name: string;
}

interface Linked {
  kind: "LinkedField";
  name: string;
  concreteType: string;
  plural: boolean;
  selections: Field[];
}

/** A field as Relay's compiler describes it. */
type Field = Scalar | Linked;

const OBJECT = [scalar("__typename"), scalar("id")];
const ENTRY = [...OBJECT, scalar("name")];
const SELECTIONS = [
  linked("movie", "Movie", false, [
    ...OBJECT,
    scalar("title"),
    linked("catalogueEntry", "CatalogueEntry", false, ENTRY),
    linked("catalogueEntries", "CatalogueEntry", true, ENTRY),
    linked("sources", "SourceReport", true, [linked("provider", "Provider", false, ENTRY)]),
  ]),
];

afterEach(() => {
  vi.restoreAllMocks();
});

test("Relay reads a movie and its entry without a warning, and does not mix them up", () => {
  const { read, warnings } = normalised(answer.data);
  expect(read).toEqual(answer.data);
  expect(warnings).toEqual([]);
});

test("Relay warns about ids that are not unique over all types", () => {
  const { movie } = answer.data;
  const entry = { ...movie.catalogueEntry, id: movie.id };
  const { warnings } = normalised({ movie: { ...movie, catalogueEntry: entry } });
  expect(warnings.join()).toContain("conflicting types");
});

/** What Relay reads of an answer once it is in its store, and what it says meanwhile. */
function normalised(data: typeof answer.data) {
  const warnings: string[] = [];
  for (const level of ["warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => warnings.push(words.join(" ")));
  }
  const described = { name: "Read", argumentDefinitions: [], selections: SELECTIONS };
  const operation = createOperationDescriptor(
    {
      kind: "Request",
      fragment: { ...described, kind: "Fragment", type: "Query" },
      operation: { ...described, kind: "Operation" },
      params: {
        id: null,
        cacheID: "Read",
        text: answer.query,
        name: "Read",
        operationKind: "query",
        metadata: {},
      },
    },
    {},
  );
  const environment = new Environment({
    network: Network.create(() => Promise.reject(new Error("Nothing is asked."))),
    store: new Store(new RecordSource()),
  });
  environment.commitPayload(operation, data);
  return { read: environment.lookup(operation.fragment).data, warnings };
}

function scalar(name: string): Scalar {
  return { kind: "ScalarField", name };
}

function linked(name: string, concreteType: string, plural: boolean, selections: Field[]): Linked {
  return { kind: "LinkedField", name, concreteType, plural, selections };
}
