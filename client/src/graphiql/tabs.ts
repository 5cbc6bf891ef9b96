import { nameOperation } from "./nameOperation";

/** What GraphiQL needs for a tab; it reads the title out of the query. */
export interface Tab {
  query: string;
  variables?: string;
}

const FIRST = "CheapestMovies";

/**
 * One tab for each document with an operation: `CheapestMovies` first, the others by name.
 *
 * Both arguments map a path to a text. `Movie.variables.json` holds the variables of
 * `Movie.graphql`, so that an operation with required variables can run at once.
 */
export function makeTabs(
  documents: Record<string, string>,
  variables: Record<string, string> = {},
): Tab[] {
  const variablesOf = new Map(
    Object.entries(variables).map(([path, text]) => [stem(path, ".variables.json"), text]),
  );
  return Object.entries(documents)
    .flatMap(([path, text]) => {
      const file = stem(path, ".graphql");
      const named = nameOperation(text, file);
      return named ? [{ ...named, file }] : [];
    })
    .sort(
      (a, b) =>
        rank(a.name) - rank(b.name) || compare(a.name, b.name) || compare(a.file, b.file),
    )
    .map(({ query, file }) => {
      const json = variablesOf.get(file);
      return json === undefined ? { query } : { query, variables: json };
    });
}

function rank(name: string): number {
  return name === FIRST ? 0 : 1;
}

/** By code units: the order must not depend on the locale of the reader. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function stem(path: string, extension: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(extension, "");
}
