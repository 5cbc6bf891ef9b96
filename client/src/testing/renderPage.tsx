import { ApolloLink } from "@apollo/client";
import { ApolloProvider } from "@apollo/client/react";
import { render } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import type { ReactNode } from "react";

import { clientOver } from "../apollo/client";
import { authorization, endedSessions } from "../apollo/session";
import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";
import type { FakeServer } from "./fakeServer";

/** A session of somebody called `dev`. */
export function signedIn(token = "a token"): SessionStore {
  const session = new SessionStore();
  session.signIn({ name: "dev", token, endsAtMs: null });
  return session;
}

/** Show a page to somebody, over a server of the test's own; returns their hands. */
export function renderPage(page: ReactNode, server: FakeServer, session = signedIn()): UserEvent {
  const client = clientOver(
    ApolloLink.from([endedSessions(session), authorization(session), server.link]),
  );
  render(
    <SessionProvider store={session}>
      <ApolloProvider client={client}>{page}</ApolloProvider>
    </SessionProvider>,
  );
  return userEvent.setup();
}
