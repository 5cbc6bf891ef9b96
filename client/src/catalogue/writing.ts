import type { ApolloClient } from "@apollo/client";

import { OWN } from "../apollo/session";
import {
  DeleteMovieDocument,
  UpsertMovieDocument,
  type UpsertMovieInput,
} from "../graphql/generated";
import { failureWords, type Refusal, refusalWords } from "../words/refusal";
import type { Entry } from "./fields";

/** Somebody else wrote in between, or deleted the entry. */
export interface Conflict {
  kind: "conflict";
  isGone: boolean;
}

/** The write was not made, or nobody knows whether it was. */
export interface Refused {
  kind: "refused";
  refusal: Refusal;
}

/** Nothing was written: there are entries that may be the same movie. */
export interface Near {
  kind: "near";
  entries: readonly Entry[];
}

/** What became of an entry that was to be written. */
export type Written = { kind: "written"; entry: Entry; isNew: boolean } | Near | Conflict | Refused;

/** What became of an entry that was to be deleted; it may have been deleted by somebody before. */
export type Deleted = { kind: "deleted" } | Conflict | Refused;

/** Write fields of an entry. */
export async function write(client: ApolloClient, input: UpsertMovieInput): Promise<Written> {
  try {
    const { data } = await client.mutate({
      mutation: UpsertMovieDocument,
      variables: { input },
      context: OWN,
      fetchPolicy: "no-cache",
    });
    const payload = data?.upsertMovie;
    const near = payload?.errors.find((error) => error.__typename === "NearDuplicate");
    if (near) return { kind: "near", entries: near.entries };
    if (!payload?.entry) return failed(payload?.errors);
    if (payload.movie) forget(client, payload.movie.id);
    return { kind: "written", entry: payload.entry, isNew: payload.created };
  } catch (error) {
    return { kind: "refused", refusal: failureWords(error) };
  }
}

/** Delete an entry, only if it is this version of itself. `movieId` is the merged movie's. */
export async function remove(
  client: ApolloClient,
  entry: Entry,
  movieId: string | null,
): Promise<Deleted> {
  try {
    const { data } = await client.mutate({
      mutation: DeleteMovieDocument,
      variables: { input: { id: entry.id, ifMatch: entry.version } },
      context: OWN,
      fetchPolicy: "no-cache",
    });
    const payload = data?.deleteMovie;
    const isGone = payload?.errors.some(({ __typename }) => __typename === "NotFound");
    if (!payload?.entry && !isGone) return failed(payload?.errors);
    if (movieId !== null) forget(client, movieId);
    return { kind: "deleted" };
  } catch (error) {
    return { kind: "refused", refusal: failureWords(error) };
  }
}

function failed(errors: readonly Parameters<typeof refusalWords>[0][] = []): Conflict | Refused {
  const conflict = errors.find((error) => error.__typename === "VersionConflict");
  if (conflict) return { kind: "conflict", isGone: conflict.currentVersion === null };
  const [first] = errors;
  return { kind: "refused", refusal: first ? refusalWords(first) : failureWords(null) };
}

/** Let no list show what it had of the entry before. */
function forget(client: ApolloClient, movieId: string): void {
  for (const fieldName of ["catalogueEntry", "catalogueEntries"]) {
    client.cache.evict({ id: `Movie:${movieId}`, fieldName });
  }
}
