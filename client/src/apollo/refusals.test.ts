import { ApolloClient, ApolloLink, CombinedGraphQLErrors, InMemoryCache, ServerError } from "@apollo/client";
import { throwError } from "rxjs";
import { expect, test } from "vitest";

import { ProvidersDocument } from "../graphql/generated";
import { SessionStore } from "../session/store";
import { refusals } from "./refusals";
import { endedSessions, OWN } from "./session";

async function failureOf(session: SessionStore, status: number, bodyText: string): Promise<unknown> {
  const refusing = new ApolloLink(() =>
    throwError(() => new ServerError("", { response: new Response("", { status }), bodyText })),
  );
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([endedSessions(session), refusals(), refusing]),
  });
  return client.query({ query: ProvidersDocument, context: OWN }).catch((error: unknown) => error);
}

function signedIn(): SessionStore {
  const session = new SessionStore();
  session.signIn({ name: "dev", token: "t", endsAtMs: null });
  return session;
}

test("a token that is refused with a status of HTTP ends the session, with the reason", async () => {
  const session = signedIn();
  const body = { errors: [{ message: "Too old.", extensions: { code: "UNAUTHENTICATED" } }] };
  const failure = await failureOf(session, 401, JSON.stringify(body));
  expect(CombinedGraphQLErrors.is(failure)).toBe(true);
  expect(session.state).toEqual({ session: null, reason: "You were signed out: Too old." });
});

test.each(["<html>Bad gateway</html>", "{}", "null", '{"errors": 1}'])(
  "an error of unknown form (%s) stays a failure, and nobody is signed out",
  async (body) => {
    const session = signedIn();
    expect(ServerError.is(await failureOf(session, 502, body))).toBe(true);
    expect(session.state.session).not.toBeNull();
  },
);
