import { type Fetcher, isObservable } from "@graphiql/toolkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { SessionStore } from "../session/store";
import { makeFetcher, REFUSED, withToken } from "./fetcher";

const DEV = { name: "dev", token: "a.b.c", endsAtMs: null };

test.each([
  ["nobody is signed in", undefined, undefined, {}],
  ["nobody is signed in, headers", { "X-Request-Id": "1" }, undefined, { "X-Request-Id": "1" }],
  ["somebody is signed in", undefined, "t", { Authorization: "Bearer t" }],
  ["with headers", { a: "1" }, "t", { a: "1", Authorization: "Bearer t" }],
  ["with a token by hand", { Authorization: "Bearer h" }, "t", { Authorization: "Bearer h" }],
  ["written small", { authorization: "Bearer h" }, "t", { Authorization: "Bearer h" }],
  ["empty", { AUTHORIZATION: "" }, "t", { Authorization: "" }],
])("what is sent along: %s", (_, edited, token, headers) => {
  expect(withToken(edited, token)).toEqual(headers);
});

/** A socket that acknowledges, and then does with a subscription what `answers` says. */
class FakeSocket {
  static readonly OPEN = 1;
  static opened: { url: string; payload: unknown }[] = [];
  static answers: object[] = [];
  readonly readyState = FakeSocket.OPEN;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: object) => void;

  constructor(readonly url: string) {
    queueMicrotask(() => this.onopen?.());
  }

  send(text: string): void {
    const { type, id, payload } = JSON.parse(text) as Record<string, unknown>;
    if (type === "connection_init") {
      FakeSocket.opened.push({ url: this.url, payload });
      this.tell({ type: "connection_ack" });
    }
    if (type === "subscribe") {
      for (const answer of FakeSocket.answers) this.tell({ id, ...answer });
    }
  }

  close(code = 1000, reason = ""): void {
    this.onclose?.({ code, reason, wasClean: true });
  }

  private tell(message: object): void {
    queueMicrotask(() => {
      if ("code" in message) this.close(Number(message.code), "Unauthorized");
      else this.onmessage?.({ data: JSON.stringify(message) });
    });
  }
}

const EVENT = { data: { exportProgress: { status: "READY" } } };

let session: SessionStore;
let fetcher: Fetcher;
let status: number;
let sent: (string | null)[];

beforeEach(() => {
  FakeSocket.opened = [];
  FakeSocket.answers = [{ type: "next", payload: EVENT }, { type: "complete" }];
  vi.stubGlobal("WebSocket", FakeSocket);
  status = 200;
  sent = [];
  vi.stubGlobal("fetch", (_: unknown, request: RequestInit) => {
    sent.push(new Headers(request.headers).get("authorization"));
    return Promise.resolve(Response.json({ data: {} }, { status }));
  });
  session = new SessionStore();
  fetcher = makeFetcher(session);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Run an operation to its end, and return all its results, an error as the last of them. */
async function run(query: string, headers?: Record<string, string>): Promise<unknown[]> {
  const params = { query, operationName: "OfTheTabBefore" };
  const value = await fetcher(params, headers && { headers });
  const results: unknown[] = [];
  if (isObservable(value)) {
    await new Promise<void>((done) => {
      value.subscribe({
        next: (result) => results.push(result),
        error: (error: unknown) => {
          results.push(error);
          done();
        },
        complete: done,
      });
    });
  } else {
    for await (const each of value as AsyncIterable<unknown>) results.push(each);
  }
  return results;
}

const QUERY = "query Named { providers { id } }";
const SUBSCRIPTION = "subscription Named { exportProgress(id: 1) { status } }";

test("operations carry the token of who is signed in at that moment", async () => {
  await run(QUERY);
  session.signIn(DEV);
  await run(QUERY);
  await run(QUERY, { authorization: "Bearer by-hand" });
  session.signOut();
  await run(QUERY);
  expect(sent).toEqual([null, "Bearer a.b.c", "Bearer by-hand", null]);
});

test("a subscription goes over a socket of this origin, with the token in its greeting", async () => {
  session.signIn(DEV);
  expect(await run(SUBSCRIPTION)).toEqual([EVENT]);
  await run(SUBSCRIPTION, { authorization: "Bearer by-hand" });
  session.signOut();
  await run(SUBSCRIPTION);
  const url = `ws://${window.location.host}/graphql`;
  expect(FakeSocket.opened).toEqual([
    { url, payload: { Authorization: "Bearer a.b.c" } },
    { url, payload: { Authorization: "Bearer by-hand" } },
    { url, payload: {} },
  ]);
  expect(sent).toEqual([]);
});

test.each([
  ["refused", { type: "error", payload: [{ message: "No." }] }, [{ message: "No." }]],
  [
    "cut off",
    { code: 4401 },
    { message: "The connection closed (4401 Unauthorized). Run it again." },
  ],
])("a subscription that is %s says so, once", async (_, answer, told) => {
  FakeSocket.answers = [{ type: "next", payload: EVENT }, answer];
  expect(await run(SUBSCRIPTION)).toEqual([EVENT, told]);
});

test("a refused token ends the session, and the reason is shown", async () => {
  session.signIn(DEV);
  status = 401;
  await run(QUERY);
  expect(session.state).toEqual({ session: null, reason: REFUSED });
});

test("a refused token from the Headers editor leaves the session as it is", async () => {
  session.signIn(DEV);
  status = 401;
  await run(QUERY, { Authorization: "Bearer by-hand" });
  expect(session.state.session).toEqual(DEV);
});
