import { cleanup, screen } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import type { ApolloLink } from "@apollo/client";
import { Subject } from "rxjs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { listed, one, outcome, PROVIDERS } from "../testing/exportAnswers";
import { FakeServer, refused } from "../testing/fakeServer";
import { renderPage } from "../testing/renderPage";
import { anExport, NOW_MS } from "../words/builders";
import { ExportsPage } from "./ExportsPage";

const READY = anExport("READY");
const QUEUED = anExport("QUEUED");
const FAILED = anExport("FAILED", { error: "The store is full." });

const MADE_AGAIN = /^Made again: see the one that was ordered on \d Mar 2026, \d\d:\d\d\.$/;

let server: FakeServer;
let followed: { href: string; isDownload: boolean }[];

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ["Date"] });
  followed = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    followed.push({ href: this.href, isDownload: this.hasAttribute("download") });
  });
  server = new FakeServer()
    .answers("Providers", PROVIDERS)
    .answers("ExportProgress", new Subject<ApolloLink.Result>());
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function pressed(name: string, each: typeof READY): Promise<UserEvent> {
  server.answers("Exports", listed([each]));
  const user = renderPage(<ExportsPage />, server);
  await user.click(await screen.findByRole("button", { name }));
  return user;
}

test("a download asks for a link of its own each time, and follows it", async () => {
  let number = 0;
  server.answers("Export", () => {
    number += 1;
    return one(READY, `https://files.example/${number.toString()}`);
  });
  const user = await pressed("Download", READY);
  await vi.waitFor(() => {
    expect(followed).toEqual([{ href: "https://files.example/1", isDownload: true }]);
  });
  await user.click(screen.getByRole("button", { name: "Download" }));
  await vi.waitFor(() => {
    expect(followed.at(-1)?.href).toBe("https://files.example/2");
  });
  expect(server.askedFor("Export")[0]?.authorization).toBe("Bearer a token");
  expect(document.querySelector("a[download]")).toBeNull();
});

test("a file that is gone by now shows an error, and can be made again", async () => {
  server.answers("Export", one(anExport("EXPIRED")));
  await pressed("Download", READY);
  await screen.findByText("The file is no longer there. Make it again.");
  await screen.findByText("Expired: the file is no longer kept.");
  screen.getByRole("button", { name: "Make again" });
  expect(followed).toEqual([]);
});

test("an export that no longer exists shows an error", async () => {
  server.answers("Export", one(null));
  await pressed("Download", READY);
  await screen.findByText("The file is no longer there. Make it again.");
});

test.each([
  [new TypeError("Failed to fetch"), "movieql does not answer. Try again in a moment."],
  [refused("UNAVAILABLE", "The store is down."), "The store is down. Try again in a moment."],
])("a link that cannot be had shows an error (%#)", async (reply, words) => {
  server.answers("Export", reply);
  await pressed("Download", READY);
  expect((await screen.findByRole("alert")).textContent).toBe(words);
  expect(screen.getByRole("button", { name: "Download" })).toHaveProperty("disabled", false);
});

test("a cancelled export is shown as cancelled at once", async () => {
  server.answers("CancelExport", outcome("cancelExport", anExport("CANCELLED")));
  await pressed("Cancel", QUEUED);
  await screen.findByText("Cancelled: there is no file.");
  expect(screen.queryByRole("button", { name: "Cancel" })).toBeNull();
  screen.getByRole("button", { name: "Make again" });
  expect(server.askedFor("CancelExport")[0]).toMatchObject({
    variables: { input: { id: QUEUED.id } },
    authorization: "Bearer a token",
  });
});

test("an export that ended before it was cancelled says so, and shows its end", async () => {
  const message = "The export is READY: it cannot be cancelled.";
  const failure = { __typename: "NotCancellable", message };
  server.answers("CancelExport", outcome("cancelExport", READY, failure));
  await pressed("Cancel", QUEUED);
  expect((await screen.findByRole("alert")).textContent).toBe(message);
  screen.getByText("Ready: 13 rows, 1.9 kB.");
});

test("a cancelling whose answer is lost can be pressed again", async () => {
  server.answers("CancelExport", new TypeError("Failed to fetch"));
  await pressed("Cancel", QUEUED);
  const told = await screen.findByRole("alert");
  expect(told.textContent).toContain("Press again: nothing is done twice.");
});

test("one that is made again appears on top, and the old one says where", async () => {
  const again = anExport("QUEUED", {
    id: "again",
    createdAt: "2026-03-01T12:00:00Z",
    retryOf: FAILED.id,
  });
  server.answers("RetryExport", () => {
    server.answers("Exports", listed([again, FAILED]));
    return outcome("retryExport", again);
  });
  await pressed("Make again", FAILED);
  await screen.findByText(MADE_AGAIN);
  const [first, second] = screen.getAllByRole("article");
  expect(first?.textContent).toContain("Made again, from one of before.");
  expect(first?.textContent).toContain("Waiting until a worker is free");
  expect(second?.textContent).toContain("Failed: The store is full.");
});

test("an export that was made again before is not put on top once more", async () => {
  const again = anExport("READY", { id: "again", createdAt: "2026-03-01T11:00:00Z" });
  server.answers("RetryExport", outcome("retryExport", again));
  await pressed("Make again", FAILED);
  await screen.findByText(MADE_AGAIN);
  expect(screen.getAllByRole("article")).toHaveLength(1);
});

test("one that cannot be made again says why", async () => {
  const message = "The export is RUNNING: it cannot be retried.";
  const failure = { __typename: "NotRetryable", message };
  server.answers("RetryExport", () => {
    server.answers("Exports", listed([anExport("RUNNING")]));
    return outcome("retryExport", anExport("RUNNING"), failure);
  });
  await pressed("Make again", FAILED);
  expect((await screen.findByRole("alert")).textContent).toBe(message);
  screen.getByText("Running");
  expect(screen.getAllByRole("article")).toHaveLength(1);
});

test("at the limit of open exports the message says what to do", async () => {
  const failure = { __typename: "QuotaExceeded", message: "You have 5 open exports.", limit: 5 };
  server.answers("RetryExport", outcome("retryExport", null, failure));
  await pressed("Make again", FAILED);
  expect((await screen.findByRole("alert")).textContent).toContain("Wait until one has ended");
});

test("while one thing is done, no other can be", async () => {
  server.answers("RetryExport", new Subject<ApolloLink.Result>());
  await pressed("Make again", anExport("PARTIAL"));
  expect(await screen.findByRole("button", { name: "Make again" })).toHaveProperty("disabled", true);
  expect(screen.getByRole("button", { name: "Download" })).toHaveProperty("disabled", true);
});
