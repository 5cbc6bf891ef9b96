import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import { shown } from "../testing/page";
import { SignIn } from "./SignIn";
import { SessionStore } from "./store";

afterEach(() => {
  vi.unstubAllGlobals();
});

function serverSays(status: number, body: unknown = {}, headers: Record<string, string> = {}) {
  const fetched = vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status, headers })));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

async function enter(): Promise<void> {
  await userEvent.type(screen.getByLabelText("Name"), "ada");
  await userEvent.type(screen.getByLabelText("Password"), "secret");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

test("a name and a password become a session", async () => {
  const fetched = serverSays(200, { access_token: "t.t.t" });
  const { session } = shown(<SignIn purpose="order an export" />, {});
  expect(screen.getByText("Sign in to order an export.")).toBeTruthy();
  await enter();
  expect(session.state.session).toMatchObject({ name: "ada", token: "t.t.t" });
  expect(fetched).toHaveBeenCalledWith(
    "/login",
    expect.objectContaining({ body: '{"username":"ada","password":"secret"}' }),
  );
});

test.each([
  [401, {}, /Wrong name or password/],
  [404, {}, /use a token of your identity provider/],
  [429, { "retry-after": "7" }, /Try again in 7 s/],
  [500, {}, /Try again in a moment/],
])("a refusal with %s says what to do", async (status, headers, words) => {
  serverSays(status, {}, headers);
  const { session } = shown(<SignIn purpose="x" />, {});
  await enter();
  expect((await screen.findByRole("alert")).textContent).toMatch(words);
  expect(session.state.session).toBeNull();
});

test("a server that does not answer shows an error", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  shown(<SignIn purpose="x" />, {});
  await enter();
  expect((await screen.findByRole("alert")).textContent).toMatch(/does not answer/);
});

test("an answer without a token shows an error", async () => {
  serverSays(200, null);
  shown(<SignIn purpose="x" />, {});
  await enter();
  expect((await screen.findByRole("alert")).textContent).toMatch(/unreadable/);
});

test("a token from elsewhere is taken as it is", async () => {
  const { session } = shown(<SignIn purpose="x" />, {});
  await userEvent.click(screen.getByRole("button", { name: "Use a token instead" }));
  await userEvent.type(screen.getByLabelText(/Token/), "opaque");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  expect(session.state.session?.token).toBe("opaque");
});

test("somebody who was signed out by the server sees why", () => {
  const session = new SessionStore();
  session.signIn({ name: null, token: "t", endsAtMs: null });
  session.end("You were signed out.");
  shown(<SignIn purpose="x" />, {}, { session });
  expect(screen.getByRole("alert").textContent).toBe("You were signed out.");
});
