import { ApolloLink } from "@apollo/client";
import { Observable, of, throwError } from "rxjs";

/** What a fake server answers: once, as an error on the way, or as often as a test likes. */
export type Reply = ApolloLink.Result | Error | Observable<ApolloLink.Result>;

/** An operation that arrived at a fake server. */
export interface Asked {
  name: string;
  variables: Record<string, unknown>;
  /** What it carries of who asks; undefined: nothing. */
  authorization: string | undefined;
}

/** Answers what a page asks as a test says, and keeps what it was asked. */
export class FakeServer {
  readonly asked: Asked[] = [];
  readonly #replies = new Map<string, (variables: Record<string, unknown>) => Reply>();

  /** Answer the operation of a name like this from now on. */
  answers(name: string, reply: Reply | ((variables: Record<string, unknown>) => Reply)): this {
    this.#replies.set(name, typeof reply === "function" ? reply : () => reply);
    return this;
  }

  /** The operations of a name that arrived. */
  askedFor(name: string): Asked[] {
    return this.asked.filter((each) => each.name === name);
  }

  readonly link = new ApolloLink((operation) =>
    new Observable<ApolloLink.Result>((observer) => {
      const name = operation.operationName ?? "";
      const headers = operation.getContext().headers as Record<string, string> | undefined;
      const { variables } = operation;
      this.asked.push({ name, variables, authorization: headers?.authorization });
      return observableOf(this.#reply(name, variables)).subscribe(observer);
    }),
  );

  #reply(name: string, variables: Record<string, unknown>): Reply {
    const reply = this.#replies.get(name);
    return reply ? reply(variables) : new Error(`the test has no answer to ${name}`);
  }
}

/** The answer to a request that was refused as a whole. */
export function refused(code: string, message: string): Reply {
  return { data: null, errors: [{ message, extensions: { code } }] };
}

function observableOf(reply: Reply): Observable<ApolloLink.Result> {
  if (reply instanceof Observable) return reply;
  return reply instanceof Error ? throwError(() => reply) : of(reply);
}
