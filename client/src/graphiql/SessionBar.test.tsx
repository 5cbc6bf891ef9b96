import { act, cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";

import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";
import { SessionBar } from "./SessionBar";

let session: SessionStore;

beforeEach(() => {
  session = new SessionStore();
  render(
    <SessionProvider store={session}>
      <SessionBar />
    </SessionProvider>,
  );
});
afterEach(cleanup);

function disclosure(): HTMLDetailsElement | null {
  return document.querySelector("details");
}

test("it leads back to the movies", () => {
  expect(screen.getByRole("link", { name: "All movies" }).getAttribute("href")).toBe("/");
});

test("who is not signed in can be, and otherwise loses no room", () => {
  expect(disclosure()?.open).toBe(false);
  expect(screen.getByRole("form", { name: "Sign in", hidden: true })).toBeDefined();
});

test("who is signed in sees as whom, and the way out", async () => {
  act(() => {
    session.signIn({ name: "dev", token: "t", endsAtMs: null });
  });
  expect(screen.getByText("Signed in as dev")).toBeDefined();
  expect(disclosure()).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Sign out" }));
  expect(disclosure()?.open).toBe(false);
});

test("somebody who was signed out by the server sees why, and can sign in again", () => {
  act(() => {
    session.signIn({ name: "dev", token: "t", endsAtMs: null });
  });
  act(() => {
    session.end("Your sign-in has ended.");
  });
  expect(disclosure()?.open).toBe(true);
  expect(screen.getByRole("alert").textContent).toBe("Your sign-in has ended.");
});
