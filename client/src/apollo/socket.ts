import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";

import type { SessionStore } from "../session/store";

const RETRIES_MAX = 20; // a lost connection comes back by itself, for about ten minutes
const KEEP_OPEN_MS = 5_000; // from one subscription to the next

/** A socket that is open while something is followed, with the token of who is signed in then. */
export function socketLink(session: SessionStore): GraphQLWsLink {
  const url = new URL("/graphql", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new GraphQLWsLink(
    createClient({
      url: url.href,
      lazyCloseTimeout: KEEP_OPEN_MS,
      retryAttempts: RETRIES_MAX,
      shouldRetry: () => session.state.session !== null,
      connectionParams: () => {
        const token = session.state.session?.token;
        return token === undefined ? {} : { Authorization: `Bearer ${token}` };
      },
    }),
  );
}
