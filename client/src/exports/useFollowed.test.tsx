import { act, cleanup, screen, within } from "@testing-library/react";
import type { ApolloLink } from "@apollo/client";
import { Subject } from "rxjs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { event, listed, one, PROVIDERS } from "../testing/exportAnswers";
import { FakeServer } from "../testing/fakeServer";
import { renderPage } from "../testing/renderPage";
import { anExport, NOW_MS } from "../words/builders";
import { ExportsPage } from "./ExportsPage";

const RUNNING = anExport("RUNNING", { progress: { done: 2_628, total: 8_000, percent: 32 } });
const READY = anExport("READY");
const STEP_MS = 100;

let server: FakeServer;
let events: Subject<ApolloLink.Result>;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
  events = new Subject();
  server = new FakeServer()
    .answers("Providers", PROVIDERS)
    .answers("Exports", listed([anExport("QUEUED")]))
    .answers("Export", one(RUNNING))
    .answers("ExportProgress", () => events);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** Let time pass; React draws after each step. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await act(() => vi.advanceTimersByTimeAsync(STEP_MS));
  }
}

async function shown(): Promise<void> {
  renderPage(<ExportsPage />, server);
  await pass(100);
}

async function told(result: ApolloLink.Result): Promise<void> {
  act(() => {
    events.next(result);
  });
  await pass(100);
}

test("an export is followed to its end without polling", async () => {
  await shown();
  screen.getByText("Waiting until a worker is free");
  await told(event(RUNNING));
  screen.getByText("Running");
  screen.getByText("32 %, 2,628 of 8,000 offers");
  const bar = screen.getByRole("progressbar", { name: "Progress" });
  expect(bar.getAttribute("value")).toBe("32");
  await told(event(READY));
  screen.getByText("Ready: 13 rows, 1.9 kB.");
  screen.getByRole("button", { name: "Download" });
  expect(screen.queryByRole("progressbar")).toBeNull();
  await pass(10_000);
  expect(server.askedFor("Export")).toEqual([]);
  expect(events.observed).toBe(false);
});

test("an export without a known progress shows no number", async () => {
  await shown();
  await told(event(anExport("RUNNING")));
  screen.getByText("counting the offers");
  expect(screen.getByRole("progressbar").hasAttribute("value")).toBe(false);
});

test.each([
  ["breaks off", () => { events.error(new Error("the socket closed")); }],
  ["is refused", () => { events.next({ data: null, errors: [{ message: "Too many." }] }); }],
  ["ends too early", () => { events.complete(); }],
  ["says nothing", () => undefined],
])("when the subscription %s, the server is polled every 2 s, and no error is shown", async (
  _, happen,
) => {
  await shown();
  act(happen);
  await pass(2_200);
  expect(server.askedFor("Export")).toHaveLength(1);
  expect(server.askedFor("Export")[0]?.authorization).toBe("Bearer a token");
  screen.getByText("32 %, 2,628 of 8,000 offers");
  server.answers("Export", one(READY));
  await pass(2_000);
  screen.getByText("Ready: 13 rows, 1.9 kB.");
  expect(screen.queryByRole("alert")).toBeNull();
  await pass(10_000);
  expect(server.askedFor("Export")).toHaveLength(2);
});

test("the server is polled only while the subscription is silent", async () => {
  await shown();
  for (let seconds = 0; seconds < 5; seconds += 1) {
    await told(event({ ...RUNNING, progress: { done: seconds, total: 8_000, percent: 0 } }));
    await pass(900);
  }
  expect(server.askedFor("Export")).toEqual([]);
  await pass(2_000);
  expect(server.askedFor("Export")).toHaveLength(1);
});

test("a server that is gone for a while is polled until it is back", async () => {
  server.answers("Export", new TypeError("Failed to fetch"));
  await shown();
  await pass(6_300);
  expect(server.askedFor("Export").length).toBeGreaterThanOrEqual(2);
  server.answers("Export", one(READY));
  await pass(2_000);
  screen.getByText("Ready: 13 rows, 1.9 kB.");
});

test("exports that have ended are not followed", async () => {
  server.answers("Exports", listed([READY, anExport("FAILED", { id: "failed" })]));
  await shown();
  await pass(5_000);
  expect(server.askedFor("ExportProgress")).toEqual([]);
  expect(server.askedFor("Export")).toEqual([]);
});

test("of many open ones only the latest ten are followed", async () => {
  const many = Array.from({ length: 12 }, (_, n) => anExport("QUEUED", { id: n.toString() }));
  server.answers("Exports", listed(many));
  await shown();
  const ids = server.askedFor("ExportProgress").map(({ variables }) => variables.id);
  expect(ids).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

test("an event changes only its own export", async () => {
  server.answers("Exports", listed([anExport("QUEUED", { id: "a" }), anExport("QUEUED", { id: "b" })]));
  await shown();
  await told(event(anExport("READY", { id: "b" })));
  const [first, second] = screen.getAllByRole("article");
  if (!first || !second) throw new Error("there are two");
  within(first).getByText("Waiting until a worker is free");
  within(second).getByText("Ready: 13 rows, 1.9 kB.");
});
