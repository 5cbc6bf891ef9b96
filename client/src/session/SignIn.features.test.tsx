import { render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import { FeaturesProvider, FeatureStore } from "../app/features";
import { SignIn } from "./SignIn";
import { SessionStore } from "./store";
import { SessionProvider } from "./useSession";

afterEach(() => {
  vi.unstubAllGlobals();
});

function show(features: object): SessionStore {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(features)));
  const session = new SessionStore();
  render(
    <FeaturesProvider store={new FeatureStore()}>
      <SessionProvider store={session}>
        <SignIn purpose="order an export" />
      </SessionProvider>
    </FeaturesProvider>,
  );
  return session;
}

test("with the built-in login the form asks for a name, and a token may be used instead", async () => {
  show({ login: true, knobs: null });
  expect(await screen.findByLabelText("Name")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Use a token instead" }));
  expect(screen.getByLabelText("Token of your identity provider")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Use name and password" }));
  expect(screen.getByLabelText("Password")).toBeDefined();
});

test("without the built-in login the form asks for a token only", async () => {
  const session = show({ login: false, knobs: null });
  await userEvent.type(await screen.findByLabelText("Token of your identity provider"), "a.b.c");
  expect(screen.queryByLabelText("Name")).toBeNull();
  expect(screen.queryByRole("button", { name: /name and password/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  expect(session.state.session).toEqual({ token: "a.b.c", name: null, endsAtMs: null });
});
