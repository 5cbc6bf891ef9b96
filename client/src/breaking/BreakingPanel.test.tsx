import { ApolloClient, ApolloLink, InMemoryCache } from "@apollo/client";
import { ApolloProvider } from "@apollo/client/react";
import { act, cleanup, render, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { BreakingPanel } from "./BreakingPanel";
import type { Knob, Knobs } from "./knobs";

const ALL = ["all", "list", "detail"];
const WELL: Knob = { mode: "ok", endpoint: "all" };

/** The server's side: what the shops do, everything it was sent, and what it does next. */
class Server {
  shops = [
    { id: "cinemaworld", name: "Cinemaworld", ...WELL },
    { id: "filmworld", name: "Filmworld", ...WELL },
  ];
  readonly sent: [string, string, unknown][] = [];
  refusal: Response | Error | null = null;

  readonly fetch = (url: string, { method = "GET", body }: RequestInit): Promise<Response> => {
    const knob = typeof body === "string" ? (JSON.parse(body) as Knob) : null;
    this.sent.push([method, url, knob]);
    if (this.refusal instanceof Error) return Promise.reject(this.refusal);
    if (this.refusal) return Promise.resolve(this.refusal);
    if (method === "DELETE") this.shops = this.shops.map((shop) => ({ ...shop, ...WELL }));
    this.shops = this.shops.map((shop) => (url.endsWith(`/${shop.id}`) ? { ...shop, ...knob } : shop));
    return Promise.resolve(Response.json(this.answer));
  };

  get answer(): Knobs {
    return {
      shops: this.shops,
      modes: [
        { mode: "ok", words: "is well", common: true, endpoints: ALL },
        { mode: "500", words: "fails (500)", common: true, endpoints: ALL },
        { mode: "refuse", words: "takes no connections", common: false, endpoints: ["all"] },
      ],
      endpoints: ALL.map((endpoint) => ({ endpoint, words: `for ${endpoint}` })),
    };
  }
}

let server: Server;
const client = new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.empty() });
const refetched = vi.spyOn(client, "refetchQueries");

beforeEach(() => {
  server = new Server();
  vi.stubGlobal("fetch", server.fetch);
  refetched.mockClear();
  render(
    <ApolloProvider client={client}>
      <BreakingPanel url="/dev/knobs" />
    </ApolloProvider>,
  );
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function open(): Promise<void> {
  await userEvent.click(screen.getByRole("button", { name: "Try breaking it" }));
}

function choice(name: string): Promise<HTMLSelectElement> {
  return screen.findByRole("combobox", { name });
}

test("it is closed, and asks nobody, until it is opened", () => {
  const opener = screen.getByRole("button", { name: "Try breaking it" });
  expect(opener.getAttribute("aria-expanded")).toBe("false");
  expect(screen.queryByRole("button", { name: "All well again" })).toBeNull();
  expect(server.sent).toEqual([]);
});

test("it shows what each shop does now, and reads that anew when it is opened again", async () => {
  await open();
  expect((await choice("What Filmworld does")).selectedOptions[0]?.text).toBe("is well");
  expect(screen.getByText(/^All shops are well/)).toBeDefined();
  await open(); // once more: that closes it
  server.shops = server.shops.map((shop) => ({ ...shop, mode: "500", endpoint: "list" }));
  await open();
  expect(await screen.findAllByDisplayValue("fails (500)")).toHaveLength(2);
  expect((await choice("Which calls of Filmworld")).selectedOptions[0]?.text).toBe("for list");
});

test("what people try first stands apart", async () => {
  await open();
  const groups = (await choice("What Filmworld does")).querySelectorAll("optgroup");
  expect([...groups].map(({ label, textContent }) => [label, textContent])).toEqual([
    ["Common", "is wellfails (500)"],
    ["Rarer", "takes no connections"],
  ]);
});

test("a shop is broken, wholly or for some calls, and the panel says what to watch for", async () => {
  await open();
  expect((await choice("Which calls of Filmworld")).disabled).toBe(true);
  await userEvent.selectOptions(await choice("What Filmworld does"), "fails (500)");
  expect(await screen.findByText(/Watch the prices of Filmworld get an age/)).toBeDefined();
  await userEvent.selectOptions(await choice("Which calls of Filmworld"), "for list");
  expect(await screen.findByText(/while the prices of Filmworld stay/)).toBeDefined();
  expect(server.sent.slice(1)).toEqual([
    ["PUT", "/dev/knobs/filmworld", { mode: "500", endpoint: "all" }],
    ["PUT", "/dev/knobs/filmworld", { mode: "500", endpoint: "list" }],
  ]);
});

test("a mode that is for all calls only is not offered for some, nor sent for some", async () => {
  await open();
  await userEvent.selectOptions(await choice("What Filmworld does"), "fails (500)");
  await userEvent.selectOptions(await choice("Which calls of Filmworld"), "for detail");
  await userEvent.selectOptions(await choice("What Filmworld does"), "takes no connections");
  expect(server.sent.at(-1)?.[2]).toEqual({ mode: "refuse", endpoint: "all" });
  expect((await choice("Which calls of Filmworld")).innerText).not.toContain("for detail");
});

test("of choices that follow each other quickly the last one holds", async () => {
  await open();
  const mode = await choice("What Filmworld does");
  const { fetch } = server;
  let answer: () => void = () => undefined;
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    await new Promise<void>((done) => (answer = done));
    return fetch(url, request);
  });
  await userEvent.selectOptions(mode, "fails (500)");
  await userEvent.selectOptions(mode, "takes no connections");
  expect(mode.selectedOptions[0]?.text).toBe("takes no connections");
  expect(server.sent).toHaveLength(1); // what it was asked when it was opened
  answer();
  await vi.waitFor(() => {
    expect(server.sent).toHaveLength(2);
  });
  expect(mode.selectedOptions[0]?.text).toBe("takes no connections");
  answer();
  await vi.waitFor(() => {
    expect(server.shops[1]?.mode).toBe("refuse");
  });
  expect(mode.selectedOptions[0]?.text).toBe("takes no connections");
});

test("all shops are well again with one button", async () => {
  server.shops = server.shops.map((shop) => ({ ...shop, mode: "500" }));
  await open();
  await userEvent.click(await screen.findByRole("button", { name: "All well again" }));
  expect(await screen.findAllByDisplayValue("is well")).toHaveLength(2);
  expect(server.sent.at(-1)).toEqual(["DELETE", "/dev/knobs", null]);
});

test.each([
  [
    "refused",
    () => Response.json({ error: "unknown mode '500'", allowed: [] }, { status: 400 }),
    /refused: unknown mode '500'/,
  ],
  ["refused without a reason", () => new Response("", { status: 502 }), /refused: status 502/],
  ["not answered", () => new TypeError("failed to fetch"), /movieql does not answer/],
])("a change that is %s shows an error, and the shop as it was", async (_, refusal, words) => {
  await open();
  const mode = await choice("What Filmworld does");
  server.refusal = refusal();
  await userEvent.selectOptions(mode, "fails (500)");
  expect((await screen.findByRole("alert")).textContent).toMatch(words);
  expect(mode.selectedOptions[0]?.text).toBe("is well");
  expect(refetched).not.toHaveBeenCalled();
  server.refusal = null;
  await userEvent.selectOptions(mode, "fails (500)");
  expect(await screen.findByText(/Watch the prices of Filmworld get an age/)).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("the page asks anew at once, and again when nothing from before can be fresh", async () => {
  await open();
  const mode = await choice("What Filmworld does");
  vi.useFakeTimers({ shouldAdvanceTime: true });
  await userEvent.selectOptions(mode, "fails (500)");
  await vi.waitFor(() => {
    expect(refetched).toHaveBeenCalledTimes(1);
  });
  expect(refetched).toHaveBeenCalledWith({ include: "active" });
  await act(() => vi.advanceTimersByTimeAsync(1_500));
  expect(refetched).toHaveBeenCalledTimes(1);
  await act(() => vi.advanceTimersByTimeAsync(1_000));
  expect(refetched).toHaveBeenCalledTimes(2);
  await act(() => vi.advanceTimersByTimeAsync(10_000));
  const times = refetched.mock.calls.length;
  expect(times).toBeLessThan(6);
  await act(() => vi.advanceTimersByTimeAsync(10_000));
  expect(refetched).toHaveBeenCalledTimes(times);
});
