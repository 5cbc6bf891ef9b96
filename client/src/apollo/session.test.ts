import { ApolloClient, ApolloLink, gql, InMemoryCache, Observable } from "@apollo/client";
import { expect, test } from "vitest";

import { SessionStore } from "../session/store";
import { authorization, endedSessions, OWN } from "./session";

const QUERY = gql("{ exports { pageInfo { hasNextPage } } }");

function asking(session: SessionStore, errors: { message: string; extensions: object }[] = []) {
  const seen: unknown[] = [];
  const answering = new ApolloLink((operation) => {
    const { headers } = operation.getContext() as { headers?: Record<string, string> };
    seen.push(headers?.authorization);
    return new Observable((observer) => {
      observer.next(errors.length ? { data: null, errors: errors as never } : { data: { exports: null } });
      observer.complete();
    });
  });
  const link = ApolloLink.from([endedSessions(session), authorization(session), answering]);
  return { seen, client: new ApolloClient({ cache: new InMemoryCache(), link }) };
}

function signedIn(): SessionStore {
  const session = new SessionStore();
  session.signIn({ name: "ada", token: "t", endsAtMs: null });
  return session;
}

test("only the caller's own operations carry the token", async () => {
  const { client, seen } = asking(signedIn());
  await client.query({ query: QUERY, fetchPolicy: "network-only" });
  await client.query({ query: QUERY, fetchPolicy: "network-only", context: OWN });
  expect(seen).toEqual([undefined, "Bearer t"]);
});

test("a token that is no longer accepted ends the session, and another error does not", async () => {
  for (const [code, isOver] of [["UNAUTHENTICATED", true], ["FORBIDDEN", false]] as const) {
    const session = signedIn();
    const { client } = asking(session, [{ message: "The token ended.", extensions: { code } }]);
    await client.query({ query: QUERY, context: OWN }).catch(() => undefined);
    expect(session.state.session === null).toBe(isOver);
    expect(session.state.reason).toBe(isOver ? "You were signed out: The token ended." : null);
  }
});
