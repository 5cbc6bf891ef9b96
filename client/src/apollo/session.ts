import { ApolloLink, CombinedGraphQLErrors } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";

import type { SessionStore } from "../session/store";

/** The context of an operation that is the caller's own: only these carry the token. */
export const OWN = { isOwn: true } as const;

/** Sends the token along with what is the caller's own; what is open to all stays cacheable. */
export function authorization(session: SessionStore): ApolloLink {
  return new SetContextLink(({ headers, isOwn }) => {
    const token = session.state.session?.token;
    if (!isOwn || token === undefined) return {};
    const own = headers as Record<string, string> | undefined;
    return { headers: { ...own, authorization: `Bearer ${token}` } };
  });
}

/** Ends the session when the server rejects its token, and says so. */
export function endedSessions(session: SessionStore): ApolloLink {
  return new ErrorLink(({ error }) => {
    if (!CombinedGraphQLErrors.is(error)) return;
    const refused = error.errors.find(({ extensions }) => extensions?.code === "UNAUTHENTICATED");
    if (refused) session.end(`You were signed out: ${refused.message}`);
  });
}
