import type { CatalogueMovieQuery, MovieDescriptionQuery } from "../graphql/generated";
import { type Start, startOf } from "./editing";
import { draftOf, EMPTY } from "./fields";

/** What an address leads to: a form, or the certainty that there is nothing to edit. */
export type Found = { kind: "form"; start: Start; movieId: string } | { kind: "none" };

/** Whether an answer says what there is of a movie; else it is asked again. */
export function isKnown({ movie }: CatalogueMovieQuery): boolean {
  if (!movie || movie.catalogueEntry) return true;
  // Else a catalogue that is down would look like one that does not have the movie.
  const houses = movie.sources.filter(({ provider }) => !provider.sells);
  return movie.title !== null && houses.every(({ status }) => status === "OK");
}

/** What a known answer leads to; `description` is needed where there is no entry. */
export function foundOf(
  { movie }: CatalogueMovieQuery,
  description: MovieDescriptionQuery | undefined,
): Found | null {
  if (!movie) return { kind: "none" };
  const { id: movieId, catalogueEntry: entry } = movie;
  if (entry) return { kind: "form", start: startOf(entry), movieId };
  if (!description) return null;
  const identity = { name: movie.title ?? "", year: movie.year?.toString() ?? "" };
  const draft = description.movie ? draftOf(description.movie) : EMPTY;
  return { kind: "form", start: { entry: null, identity, draft }, movieId };
}
