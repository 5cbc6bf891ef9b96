import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { DEFAULTS, FeaturesProvider, FeatureStore, useFeatures } from "./features";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function Told() {
  const { login, knobs } = useFeatures();
  return <p>{`${login ? "names" : "tokens"}, ${knobs ?? "no knobs"}`}</p>;
}

function show(answer: () => Promise<Response>) {
  const fetched = vi.fn(answer);
  vi.stubGlobal("fetch", fetched);
  const store = new FeatureStore();
  render(
    <FeaturesProvider store={store}>
      <Told />
      <Told />
    </FeaturesProvider>,
  );
  return { fetched, store };
}

test("the server is asked once, however many components want to know", async () => {
  const { fetched } = show(() =>
    Promise.resolve(Response.json({ login: false, knobs: "/dev/knobs" })),
  );
  expect(await screen.findAllByText("tokens, /dev/knobs")).toHaveLength(2);
  expect(fetched.mock.calls).toEqual([["/client.json"]]);
});

test.each([
  ["does not answer", () => Promise.reject(new TypeError("failed to fetch"))],
  ["answers with an error", () => Promise.resolve(new Response("", { status: 500 }))],
  ["answers with a page", () => Promise.resolve(new Response("<!doctype html>"))],
  ["says nothing", () => Promise.resolve(Response.json(null))],
  ["says something else", () => Promise.resolve(Response.json({ login: 1, knobs: [] }))],
])("the defaults hold when the server %s", async (_, answer) => {
  const { fetched, store } = show(answer);
  await Promise.allSettled(fetched.mock.results.map(({ value }) => value as Promise<unknown>));
  await new Promise((done) => setTimeout(done));
  expect(store.state).toEqual(DEFAULTS);
  expect(screen.getAllByText("names, no knobs")).toHaveLength(2);
});

test("a component that stands alone gets the defaults and asks nobody", () => {
  const fetched = vi.fn();
  vi.stubGlobal("fetch", fetched);
  render(<Told />);
  expect(screen.getByText("names, no knobs")).toBeDefined();
  expect(fetched).not.toHaveBeenCalled();
});
