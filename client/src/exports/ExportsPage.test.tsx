import { act, cleanup, screen, within } from "@testing-library/react";
import type { ApolloLink } from "@apollo/client";
import { NEVER, Subject } from "rxjs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { SessionStore } from "../session/store";
import { listed, PROVIDERS } from "../testing/exportAnswers";
import { FakeServer, refused } from "../testing/fakeServer";
import { renderPage, signedIn } from "../testing/renderPage";
import { anExport, anExportSource, NOW_MS } from "../words/builders";
import { ExportsPage } from "./ExportsPage";

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ["Date"] });
  server = new FakeServer()
    .answers("Providers", PROVIDERS)
    .answers("Exports", listed([]))
    .answers("ExportProgress", new Subject<ApolloLink.Result>());
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("who is not signed in reads what exports are, and is asked who they are", () => {
  renderPage(<ExportsPage />, server, new SessionStore());
  screen.getByText(/^An export is a CSV file of every movie/);
  screen.getByText("Sign in to order and download exports.");
  expect(screen.queryByRole("button", { name: "Order export" })).toBeNull();
  expect(server.asked).toEqual([]);
});

test("until the list is there, the page says that it is on its way", () => {
  server.answers("Exports", NEVER);
  renderPage(<ExportsPage />, server);
  screen.getByText("Loading your exports…");
});

test("who has no exports reads what to do", async () => {
  renderPage(<ExportsPage />, server);
  await screen.findByText(/^You have no exports yet. Order one/);
  expect(server.askedFor("Exports")[0]?.authorization).toBe("Bearer a token");
});

test("each export says when it was, of what, how it stands, and how long its file is kept", async () => {
  const filmworld = anExportSource("filmworld", { state: "UNOBSERVED", lastObservedAt: null });
  server.answers(
    "Exports",
    listed([
      anExport("READY", { id: "1" }),
      anExport("PARTIAL", { id: "2", sources: [anExportSource("cinemaworld"), filmworld] }),
      anExport("FAILED", { id: "3", error: "No provider was observed in the window." }),
      anExport("EXPIRED", { id: "4", retryOf: "0" }),
    ]),
  );
  renderPage(<ExportsPage />, server);
  const [ready, partial, failed, expired] = await screen.findAllByRole("article");
  expect(text(ready)).toMatch(/^28 Feb 2026, .* – 1 Mar 2026, /);
  expect(text(ready)).toContain("Ordered 12 min ago, of cinemaworld and filmworld.");
  expect(text(ready)).toContain("Ready: 13 rows, 1.9 kB.");
  expect(text(ready)).toContain("Kept until");
  expect(text(partial)).toContain("filmworld was not seen in this window.");
  expect(text(failed)).toContain("Failed: No provider was observed in the window.");
  expect(text(expired)).toContain("Expired: the file is no longer kept.");
  expect(text(expired)).toContain("Made again, from one of before.");
  expect(buttons(ready)).toEqual(["Download"]);
  expect(buttons(partial)).toEqual(["Download", "Make again"]);
  expect(buttons(failed)).toEqual(["Make again"]);
  expect(buttons(expired)).toEqual(["Make again"]);
});

test("older exports are loaded on request, and start where the list ends", async () => {
  server.answers("Exports", ({ after }) =>
    after === "cursor"
      ? listed([anExport("CANCELLED", { id: "old" })])
      : listed([anExport("READY", { id: "new" })], "cursor"),
  );
  const user = renderPage(<ExportsPage />, server);
  await user.click(await screen.findByRole("button", { name: "Show older exports" }));
  await screen.findByText("Cancelled: there is no file.");
  expect(screen.getAllByRole("article")).toHaveLength(2);
  expect(screen.queryByRole("button", { name: "Show older exports" })).toBeNull();
});

test("a server without exports says so", async () => {
  const message = "This server makes no exports: it needs an object store.";
  server.answers("Exports", refused("UNAVAILABLE", message));
  renderPage(<ExportsPage />, server);
  expect(text(await screen.findByRole("alert"))).toBe(`${message} Tried again every 2 s.`);
});

test("a list that is null also means a server without exports", async () => {
  server.answers("Exports", { data: { exports: null } });
  renderPage(<ExportsPage />, server);
  await screen.findByText("This server makes no exports.");
});

test("a token that does not allow exports shows an error with what to do", async () => {
  server.answers("Exports", refused("FORBIDDEN", "This needs a token with the scope exports."));
  renderPage(<ExportsPage />, server);
  expect(text(await screen.findByRole("alert"))).toContain("Sign out, and in again with such a token.");
});

test("a server that does not answer is shown as such, and asked again", async () => {
  server.answers("Exports", new TypeError("Failed to fetch"));
  renderPage(<ExportsPage />, server);
  expect(text(await screen.findByRole("alert"))).toBe("movieql does not answer. Tried again every 2 s.");
});

test("exports of one caller are not shown to the next", async () => {
  server.answers("Exports", listed([anExport("READY")]));
  const session = signedIn("hers");
  renderPage(<ExportsPage />, server, session);
  await screen.findByText(/^Ready:/);
  server.answers("Exports", NEVER);
  act(() => {
    session.signOut();
  });
  act(() => {
    session.signIn({ name: "him", token: "his", endsAtMs: null });
  });
  screen.getByText("Loading your exports…");
  expect(screen.queryByRole("article")).toBeNull();
  await vi.waitFor(() => {
    const who = server.askedFor("Exports").map((each) => each.authorization);
    expect(who).toEqual(["Bearer hers", "Bearer his"]);
  });
});

test("a file's digest is there for who looks for it", async () => {
  server.answers("Exports", listed([anExport("READY")]));
  renderPage(<ExportsPage />, server);
  const item = within(await screen.findByRole("article"));
  expect(item.getByText("SHA-256").closest("details")?.textContent).toContain("5f1983deb6823e81");
});

function text(element: HTMLElement | undefined): string {
  return element?.textContent ?? "";
}

function buttons(element: HTMLElement | undefined): string[] {
  return element ? within(element).getAllByRole("button").map(text) : [];
}
