import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";

import { persistedQueries } from "./persistedQueries";

// An unknown hash is no mistake: as plain JSON it comes with 200, and no browser complains.
const headers = { accept: "application/json" };

/** The client of a page; `uri` is where the server answers GraphQL. */
export function makeClient(uri = "/graphql"): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([...persistedQueries(), new HttpLink({ uri, headers })]),
    // Nobody looks at a hidden page: shops are not asked for its sake.
    defaultOptions: { watchQuery: { skipPollAttempt: () => document.hidden } },
  });
}
