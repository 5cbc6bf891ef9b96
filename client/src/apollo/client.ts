import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, type Reference } from "@apollo/client";
import type { KeyArgsFunction } from "@apollo/client/cache";
import { isSubscriptionOperation } from "@apollo/client/utilities";

import { type BrowseQueryVariables, possibleTypes } from "../graphql/generated";
import type { SessionStore } from "../session/store";
import { persistedQueries } from "./persistedQueries";
import { refusals } from "./refusals";
import { authorization, endedSessions } from "./session";
import { subscriptions } from "./subscriptions";

// An unknown hash is no mistake: as plain JSON it comes with 200, and no browser complains.
const headers = { accept: "application/json" };

/** The client of a page; `uri` is where the server answers GraphQL. */
export function makeClient(session: SessionStore, uri = "/graphql"): ApolloClient {
  return clientOver(
    ApolloLink.from([
      endedSessions(session),
      authorization(session),
      ApolloLink.split(
        ({ query }) => isSubscriptionOperation(query),
        subscriptions(session),
        ApolloLink.from([refusals(), ...persistedQueries(), new HttpLink({ uri, headers })]),
      ),
    ]),
  );
}

/** The same client over another link, for tests. */
export function clientOver(link: ApolloLink): ApolloClient {
  return new ApolloClient({
    cache: makeCache(),
    link,
    defaultOptions: {
      watchQuery: {
        // Else Apollo clears the error while it polls or refetches: the alert would go and return.
        notifyOnNetworkStatusChange: false,
        // Nobody looks at a hidden page: it sends the shops no requests.
        skipPollAttempt: () => document.hidden,
      },
    },
  });
}

/** What is kept: a newer answer takes the place of an older one as a whole. */
export function makeCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes,
    typePolicies: {
      Movie: {
        fields: {
          catalogueEntries: { merge: false },
          cheapest: { keyArgs: shopsOf, merge: true },
          offers: { keyArgs: shopsOf, merge: false },
          sources: { keyArgs: shopsOf, merge: false },
        },
      },
      Query: {
        fields: {
          // The page of a movie starts with what a list has loaded of it.
          movie(known: Reference | null | undefined, { args, toReference, canRead }) {
            const listed = toReference({ __typename: "Movie", id: args?.id as string });
            return known === undefined && canRead(listed) ? listed : known;
          },
        },
      },
    },
  });
}

/** A list of some shops must not overwrite what all shops answered about a movie. */
const shopsOf: KeyArgsFunction = (_, { variables }) =>
  JSON.stringify((variables as Partial<BrowseQueryVariables> | undefined)?.filter?.providers ?? []);
