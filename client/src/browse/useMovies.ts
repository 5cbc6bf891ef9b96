import { useQuery } from "@apollo/client/react";

import { type Answer, useAnswer } from "../components/useAnswer";
import { BrowseDocument, type BrowseQuery, type BrowseQueryVariables } from "../graphql/generated";

/** A page of movies, and whether it is up to date. */
export type Movies = Answer<BrowseQuery, BrowseQueryVariables>;

/** Ask for a page of movies, again and again. */
export function useMovies(variables: BrowseQueryVariables): Movies {
  const query = useQuery(BrowseDocument, { variables, fetchPolicy: "cache-and-network" });
  return useAnswer(query, ({ movies }) => movies.complete);
}
