// Pages as tests show them: with an address, a session, and a server that answers as the test says.
import { ApolloLink, Observable } from "@apollo/client";
import { ApolloProvider } from "@apollo/client/react";
import { act, render, type RenderResult } from "@testing-library/react";
import { buildSchema, execute } from "graphql";
import type { ReactNode } from "react";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";

import schemaText from "../../../schema/schema.graphql?raw";
import { clientOver } from "../apollo/client";
import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";

const SCHEMA = buildSchema(schemaText);

/** What the root fields answer, by name; what throws is an error of the answer. */
export type Answers = Record<string, (variables: never) => unknown>;

/** Thrown by an answer: there is none, as when the server is gone. */
export class Unanswered extends Error {}

/** A page that a test shows. */
export interface Shown extends RenderResult {
  session: SessionStore;
  /** Leads to another address. */
  go: (path: string) => void;
  /** Every question that was asked, in order: its operation's name and its variables. */
  asked: { name: string | undefined; variables: Record<string, unknown> }[];
}

/** Show a page at an address. */
export function shown(
  page: ReactNode,
  answers: Answers,
  { path = "/", session = new SessionStore() } = {},
): Shown {
  const { hook, searchHook, navigate } = memoryLocation({ path });
  const asked: Shown["asked"] = [];
  const noting = new ApolloLink((operation, forward) => {
    asked.push({ name: operation.operationName, variables: operation.variables });
    return forward(operation);
  });
  const client = clientOver(ApolloLink.from([noting, schemaLink(answers)]));
  const result = render(
    <SessionProvider store={session}>
      <ApolloProvider client={client}>
        <Router hook={hook} searchHook={searchHook}>
          {page}
        </Router>
      </ApolloProvider>
    </SessionProvider>,
  );
  const go = (to: string) => {
    act(() => {
      navigate(to);
    });
  };
  return { ...result, session, go, asked };
}

/** Answers by the schema itself, so that no test shows what no server could say. */
function schemaLink(answers: Answers): ApolloLink {
  return new ApolloLink(
    ({ query, variables }) =>
      new Observable((observer) => {
        Promise.resolve(
          execute({ schema: SCHEMA, document: query, rootValue: answers, variableValues: variables }),
        ).then(
          (result) => {
            const gone = result.errors?.find(({ originalError }) => originalError instanceof Unanswered);
            if (gone) {
              observer.error(gone.originalError);
              return;
            }
            const errors = result.errors?.map((error) => error.toJSON());
            observer.next(errors ? { data: result.data ?? null, errors } : { data: result.data ?? {} });
            observer.complete();
          },
          (error: unknown) => {
            observer.error(error);
          },
        );
      }),
  );
}
