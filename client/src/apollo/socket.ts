import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";

import type { SessionStore } from "../session/store";
import { socketUrl } from "./socketUrl";

const RETRIES_MAX = 20; // a lost connection comes back by itself, for about ten minutes
const KEEP_OPEN_MS = 5_000; // from one subscription to the next

/** A socket that is open while something is followed, with the token of who is signed in then. */
export function socketLink(session: SessionStore): GraphQLWsLink {
  return new GraphQLWsLink(
    createClient({
      url: socketUrl(),
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
