import { useQuery } from "@apollo/client/react";
import { useEffect } from "react";

import { BrowseDocument, type BrowseQuery, type BrowseQueryVariables } from "../graphql/generated";

/** A page of movies, and whether it is up to date. */
export interface Movies {
  /** The latest answer; while a new question is under way, that to the last one. */
  page: BrowseQuery["movies"] | undefined;
  isLoading: boolean;
  /** Why there is no answer of now; what was there before is in `page`. */
  fault: string | null;
  refresh: () => void;
}

const POLL_INCOMPLETE_MS = 2_000;
const POLL_COMPLETE_MS = 30_000;

/** How soon an answer is asked for again: soon while a shop is missing in it. */
export function pollMs(page: Movies["page"]): number {
  return page?.complete ? POLL_COMPLETE_MS : POLL_INCOMPLETE_MS;
}

/** Ask for a page of movies, again and again. */
export function useMovies(variables: BrowseQueryVariables): Movies {
  const { data, previousData, loading, error, refetch, startPolling, stopPolling } = useQuery(
    BrowseDocument,
    { variables, fetchPolicy: "cache-and-network" },
  );
  const page = (data ?? previousData)?.movies;
  const everyMs = error ? POLL_INCOMPLETE_MS : pollMs(page);
  useEffect(() => {
    startPolling(everyMs);
    return stopPolling;
  }, [startPolling, stopPolling, everyMs]);
  return {
    page,
    isLoading: loading,
    fault: error?.message ?? null,
    refresh: () => {
      refetch().catch(() => undefined); // told by `fault`
    },
  };
}
