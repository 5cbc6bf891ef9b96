import { ApolloClient, ApolloLink, InMemoryCache } from "@apollo/client";
import { ApolloProvider } from "@apollo/client/react";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { FeaturesProvider, FeatureStore } from "../app/features";
import { Frame } from "../app/Frame";
import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(knobs: string | null): void {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ login: true, knobs })));
  render(
    <FeaturesProvider store={new FeatureStore()}>
      <SessionProvider store={new SessionStore()}>
        <ApolloProvider
          client={new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.empty() })}
        >
          <Frame>
            <h1>A page</h1>
          </Frame>
        </ApolloProvider>
      </SessionProvider>
    </FeaturesProvider>,
  );
}

test("where shops are simulated they can be broken on every page", async () => {
  show("/dev/knobs");
  expect(await screen.findByRole("button", { name: "Try breaking it" })).toBeDefined();
  expect(screen.getByRole("heading", { name: "A page" })).toBeDefined();
});

test("real shops are left alone", async () => {
  show(null);
  await new Promise((done) => setTimeout(done));
  expect(screen.queryByRole("button", { name: "Try breaking it" })).toBeNull();
});
