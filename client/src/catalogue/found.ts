import type { CatalogueNodeQuery, MovieDescriptionQuery } from "../graphql/generated";
import { type Start, startOf } from "./editing";
import { draftOf, EMPTY, type Entry } from "./fields";

type Node = CatalogueNodeQuery["node"];
type Movie = Extract<Node, { __typename: "Movie" }>;

/**
 * What an address leads to: a form, a movie that has several entries to choose from, or the
 * certainty that there is nothing to edit. `movieId` is the merged movie's.
 */
export type Found =
  | { kind: "form"; start: Start; movieId: string | null }
  | { kind: "several"; entries: readonly Entry[]; movieId: string }
  | { kind: "none" };

/** Whether an answer says what there is; else it is asked again. */
export function isKnown({ node }: CatalogueNodeQuery): boolean {
  if (node?.__typename !== "Movie" || node.catalogueEntries.length > 0) return true;
  // Else a catalogue that is down would look like one that does not have the movie.
  const houses = node.sources.filter(({ provider }) => !provider.sells);
  return node.title !== null && houses.every(({ status }) => status === "OK");
}

/** What each provider did for an answer. */
export function sourcesOf(data: CatalogueNodeQuery | undefined): Movie["sources"] {
  return data?.node?.__typename === "Movie" ? data.node.sources : [];
}

/** What a known answer leads to; `description` is needed where there is no entry. */
export function foundOf(
  { node }: CatalogueNodeQuery,
  description: MovieDescriptionQuery | undefined,
): Found | null {
  switch (node?.__typename) {
    case "CatalogueEntry":
      return { kind: "form", start: startOf(node), movieId: node.movie?.id ?? null };
    case "Movie":
      return foundOfMovie(node, description);
    default:
      return { kind: "none" };
  }
}

function foundOfMovie(movie: Movie, description: MovieDescriptionQuery | undefined): Found | null {
  const { id: movieId, title, movieYear, catalogueEntries: entries } = movie;
  const [entry] = entries;
  if (entries.length > 1) return { kind: "several", entries, movieId };
  if (entry) return { kind: "form", start: startOf(entry), movieId };
  if (!description) return null;
  const identity = { name: title ?? "", year: movieYear?.toString() ?? "" };
  const draft = description.movie ? draftOf(description.movie) : EMPTY;
  return { kind: "form", start: { entry: null, identity, draft }, movieId };
}
