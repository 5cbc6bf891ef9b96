import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";

import type { SessionStore } from "../session/store";
import { operationOf } from "./operationOf";

const ADDRESS = "/graphql";

/** The message when the token was refused. */
export const REFUSED = "You were signed out: the server no longer accepts your token.";

type HeadersByName = Partial<Record<string, string>>;

/** Runs operations as who is signed in then: over HTTP, and subscriptions over a WebSocket. */
export function makeFetcher(session: SessionStore): Fetcher {
  const fetcher = createGraphiQLFetcher({
    url: ADDRESS,
    fetch: async (input, request) => {
      const response = await fetch(input, request);
      if (response.status === 401 && isOf(session, request)) session.end(REFUSED);
      return response;
    },
  });
  return async (given, options) => {
    const headers = withToken(options?.headers, session.state.session?.token);
    // What GraphiQL knows of a text is up to 100 ms old: it may be from the tab before.
    const { operationName, isSubscription } = operationOf(given.query, given.operationName);
    const params = { ...given, operationName };
    if (!isSubscription) return fetcher(params, { headers });
    const { subscribed } = await import("./subscribed");
    return subscribed(params, headers);
  };
}

/**
 * The headers of an operation: those of the Headers editor, and the token of who is signed in.
 *
 * An `Authorization` in the editor wins, however it is written.
 */
export function withToken(
  edited: HeadersByName | undefined,
  token: string | undefined,
): HeadersByName {
  const headers = Object.entries(edited ?? {}).map(([name, value]) => [
    name.toLowerCase() === "authorization" ? AUTHORIZATION : name,
    value,
  ]);
  const own = token === undefined ? {} : { [AUTHORIZATION]: `Bearer ${token}` };
  return { ...own, ...(Object.fromEntries(headers) as HeadersByName) };
}

const AUTHORIZATION = "Authorization"; // how the server wants it among connection parameters

function isOf(session: SessionStore, request: RequestInit | undefined): boolean {
  const token = session.state.session?.token;
  return new Headers(request?.headers).get(AUTHORIZATION) === `Bearer ${token ?? ""}`;
}
