import { useQuery } from "@apollo/client/react";

import { type Answer, MAX_WAIT_MS, useAnswer } from "../components/useAnswer";
import { BrowseDocument, type BrowseQuery, type BrowseQueryVariables } from "../graphql/generated";

/** A page of movies, and whether it is up to date. */
export type Movies = Answer<BrowseQuery, BrowseQueryVariables>;

/** Ask for a page of movies, again and again. */
export function useMovies(question: BrowseQueryVariables): Movies {
  const variables = { ...question, maxWaitMs: MAX_WAIT_MS };
  const query = useQuery(BrowseDocument, { variables, fetchPolicy: "cache-and-network" });
  return useAnswer(query, ({ movies }) => movies.complete);
}
