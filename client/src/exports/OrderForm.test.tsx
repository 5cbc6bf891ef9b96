import { cleanup, screen, within } from "@testing-library/react";
import { NEVER, Subject } from "rxjs";
import type { ApolloLink } from "@apollo/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FakeServer, refused, type Reply } from "../testing/fakeServer";
import { listed, outcome, PROVIDERS } from "../testing/exportAnswers";
import { renderPage } from "../testing/renderPage";
import { anExport, NOW_MS } from "../words/builders";
import { ExportsPage } from "./ExportsPage";

const ORDERED = anExport("QUEUED", { id: "new", createdAt: "2026-03-01T12:00:00Z" });
const OLD = anExport("READY", { id: "old" });
const VALIDATION = { __typename: "ValidationFailed", message: "The window must start before it ends." };

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ["Date"] });
  server = new FakeServer()
    .answers("Providers", PROVIDERS)
    .answers("Exports", listed([OLD]))
    .answers("ExportProgress", new Subject<ApolloLink.Result>());
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const button = () => screen.findByRole("button", { name: "Order export" });

function inputs(): Record<string, unknown>[] {
  return server
    .askedFor("RequestExport")
    .map(({ variables }) => variables.input as Record<string, unknown>);
}

/** Let orders be taken from now on. */
function takes(): Reply {
  server.answers("Exports", listed([ORDERED, OLD]));
  return outcome("requestExport", ORDERED);
}

async function shown(reply: Reply | (() => Reply) = takes) {
  server.answers("RequestExport", reply);
  const user = renderPage(<ExportsPage />, server);
  await screen.findByLabelText("cinemaworld");
  await screen.findByText(/^Ready:/);
  return user;
}

test("an order as it is asks for the last 24 hours of all shops, with the token", async () => {
  const user = await shown();
  await user.click(await button());
  await screen.findByText("Ordered: it is on top of your exports.");
  expect(inputs()).toEqual([{ gzip: false, idempotencyKey: expect.any(String) as string }]);
  expect(server.askedFor("RequestExport")[0]?.authorization).toBe("Bearer a token");
});

test("what was ordered is on top of the list at once", async () => {
  const user = await shown(outcome("requestExport", ORDERED));
  server.answers("Exports", NEVER);
  await user.click(await button());
  await screen.findByText("Waiting until a worker is free");
  const [first, second] = screen.getAllByRole("article");
  expect(first?.textContent).toContain("Waiting until a worker is free");
  expect(second?.textContent).toContain("Ready:");
});

test("a list answer from before the order hides it only until the next answer", async () => {
  const user = await shown();
  await user.click(await button());
  await vi.waitFor(() => {
    expect(server.askedFor("Exports")).toHaveLength(2);
  });
  expect(screen.getAllByRole("article")).toHaveLength(2);
});

test("only shops that sell can be chosen, and chosen ones are sent by id", async () => {
  const user = await shown();
  const shops = within(screen.getByRole("group", { name: "Shops" }));
  expect(shops.getAllByRole("checkbox")).toHaveLength(2);
  await user.click(shops.getByLabelText("cinemaworld"));
  await user.click(screen.getByLabelText("Compress the file (gzip)"));
  await user.click(await button());
  await screen.findByText(/^Ordered:/);
  expect(inputs()[0]).toMatchObject({ providers: ["filmworld"], gzip: true });
});

test("a window can be chosen, in the time zone that is named", async () => {
  const user = await shown();
  expect(screen.queryByLabelText("From")).toBeNull();
  await user.click(screen.getByLabelText("Another window"));
  screen.getByText(/^In your time zone, \w+/);
  await user.click(await button());
  await screen.findByText(/^Ordered:/);
  expect(inputs()[0]).toMatchObject({
    since: "2026-02-28T12:00:00.000Z",
    until: "2026-03-01T12:00:00.000Z",
  });
});

test("a lost answer is shown as such, and the next press is the same order", async () => {
  const user = await shown(new TypeError("Failed to fetch"));
  await user.click(await button());
  const told = await screen.findByRole("alert");
  expect(told.textContent).toContain("This may have arrived or not. Press again");
  server.answers("RequestExport", takes);
  await user.click(await button());
  await screen.findByText(/^Ordered:/);
  expect(screen.queryByRole("alert")).toBeNull();
  const [first, second] = inputs();
  expect(second).toEqual(first);
});

test("after an order was accepted, the next one is another order", async () => {
  const user = await shown();
  await user.click(await button());
  await screen.findByText(/^Ordered:/);
  await user.click(await button());
  await vi.waitFor(() => {
    expect(inputs()).toHaveLength(2);
  });
  const [first, second] = inputs();
  expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey);
});

test("a changed form is another order", async () => {
  const user = await shown(new TypeError("Failed to fetch"));
  await user.click(await button());
  await screen.findByRole("alert");
  await user.click(screen.getByLabelText("Compress the file (gzip)"));
  expect(screen.queryByRole("alert")).toBeNull();
  await user.click(await button());
  await screen.findByRole("alert");
  const [first, second] = inputs();
  expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey);
});

test("while an order is on its way it cannot be sent once more", async () => {
  const answer = new Subject<ApolloLink.Result>();
  const user = await shown(answer);
  await user.click(await button());
  expect(await screen.findByRole("button", { name: "Ordering…" })).toHaveProperty("disabled", true);
  server.answers("Exports", listed([ORDERED, OLD]));
  answer.next(outcome("requestExport", ORDERED));
  answer.complete();
  await screen.findByText(/^Ordered:/);
  expect(inputs()).toHaveLength(1);
});

test.each([
  ["since", "From"],
  ["until", "To"],
])("a %s that is not allowed shows an error beside it", async (field, label) => {
  const failure = { ...VALIDATION, path: ["input", field] };
  const user = await shown(outcome("requestExport", null, failure));
  await user.click(screen.getByLabelText("Another window"));
  await user.click(await button());
  const told = await screen.findByRole("alert");
  expect(told.textContent).toBe(VALIDATION.message);
  const time = screen.getByLabelText(label);
  expect(time.getAttribute("aria-invalid")).toBe("true");
  expect(time.getAttribute("aria-describedby")).toBe(told.id);
  expect(screen.getAllByRole("article")).toHaveLength(1);
});

test("no shop at all shows an error beside the shops", async () => {
  const message = "1 to 100 providers are needed.";
  const failure = { __typename: "ValidationFailed", message, path: ["input", "providers"] };
  const user = await shown(outcome("requestExport", null, failure));
  await user.click(screen.getByLabelText("cinemaworld"));
  await user.click(screen.getByLabelText("filmworld"));
  await user.click(await button());
  const told = await within(screen.getByRole("group", { name: "Shops" })).findByRole("alert");
  expect(told.textContent).toBe(message);
  expect(inputs()[0]?.providers).toEqual([]);
});

const UNAVAILABLE = { __typename: "ExportsUnavailable", message: "The store is down." };

test.each([
  [
    { __typename: "QuotaExceeded", message: "You have 5 open exports.", limit: 5 },
    "You have 5 open exports. Wait until one has ended, or cancel one.",
  ],
  [
    { ...UNAVAILABLE, retryable: true, mayHaveHappened: true },
    "The store is down. Nobody knows whether it was done. Press again: nothing is done twice.",
  ],
  [
    { ...UNAVAILABLE, retryable: false, mayHaveHappened: false },
    "The store is down. Trying again does not help.",
  ],
])("%j is shown in the form", async (failure, words) => {
  const user = await shown(outcome("requestExport", null, failure));
  await user.click(await button());
  expect((await screen.findByRole("alert")).textContent).toBe(words);
});

test("a key that is another order's is not used again", async () => {
  const failure = { __typename: "IdempotencyConflict", message: "The key was used before." };
  const user = await shown(outcome("requestExport", null, failure));
  await user.click(await button());
  expect((await screen.findByRole("alert")).textContent).toContain("Nothing new was ordered");
  await user.click(await button());
  await vi.waitFor(() => {
    expect(inputs()).toHaveLength(2);
  });
  const [first, second] = inputs();
  expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey);
});

test.each([
  ["FORBIDDEN", "This needs a token with the scope exports.", "Sign out, and in again with such"],
  ["RATE_LIMITED", "Too many requests: ask again in 9 s.", "Nothing was done."],
])("%s is shown in the form, with what to do", async (code, message, next) => {
  const user = await shown(refused(code, message));
  await user.click(await button());
  const told = await screen.findByRole("alert");
  expect(told.textContent).toContain(`${message} ${next}`);
});

test("a token that is no longer accepted ends the session, and the reason is shown", async () => {
  const user = await shown(refused("UNAUTHENTICATED", "The token has expired."));
  await user.click(await button());
  await screen.findByText("You were signed out: The token has expired.");
  screen.getByRole("form", { name: "Sign in" });
});
