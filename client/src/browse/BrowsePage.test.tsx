import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import type { BrowseQuery, BrowseQueryVariables } from "../graphql/generated";
import { shown, Unanswered } from "../testing/page";
import { aMovie, anOffer, aSource } from "../words/builders";
import { BrowsePage } from "./BrowsePage";

afterEach(() => {
  window.history.replaceState(null, ""); // how many pages were shown
  vi.useRealTimers();
});

const WELL = [aSource("cinemaworld", "OK"), aSource("filmworld", "OK")];
const ALIEN = aMovie([anOffer("cinemaworld", "123.5"), anOffer("filmworld", "29.5")], WELL, {
  final: true,
  saving: "94",
});
const SHOPS = [
  { id: "filmworld", name: "Filmworld", sells: true, currency: "AUD" },
  { id: "house", name: "House", sells: false, currency: null },
];

type Page = BrowseQuery["movies"];

function aPage(rest: Partial<Page> = {}): Page {
  return {
    totalCount: 1,
    complete: true,
    nodes: [ALIEN],
    sources: WELL,
    pageInfo: { hasNextPage: false, endCursor: null },
    ...rest,
  };
}

function answering(movies: (variables: BrowseQueryVariables) => Page) {
  return { movies, providers: () => SHOPS };
}

test("a card has each shop's price, the cheapest marked with what it saves", async () => {
  shown(<BrowsePage />, answering(() => aPage()));
  const card = await screen.findByRole("article", { name: "Alien" });
  expect(card.textContent).toContain("cinemaworld$123.50filmworld$29.50");
  expect(card.textContent).toContain("Cheapest at filmworld, saves $94.00");
  expect(within(card).getByRole("link").getAttribute("href")).toBe("/movie/tt1");
  expect(screen.getByRole("status").textContent).toBe("1 movie, prices in AUD");
});

test("an address with a search asks for it", async () => {
  const { asked } = shown(<BrowsePage />, answering(() => aPage()), {
    path: "/?title=alien&order=Price, lowest first&yearFrom=1970",
  });
  await screen.findByRole("article");
  expect(asked.find(({ name }) => name === "Browse")?.variables).toMatchObject({
    filter: { title: "alien", yearFrom: 1970 },
    field: "PRICE",
  });
  expect(screen.getByText("Filter (1 on)")).toBeTruthy();
});

test("a search is sent once, after typing has paused", async () => {
  const { asked } = shown(<BrowsePage />, answering(() => aPage()));
  await screen.findByRole("article");
  await userEvent.type(screen.getByRole("searchbox"), "alien");
  await waitFor(() => {
    expect(asked.at(-1)?.variables).toMatchObject({ filter: { title: "alien" } });
  });
  expect(asked.filter(({ name }) => name === "Browse")).toHaveLength(2);
});

test("only shops that sell can be chosen", async () => {
  shown(<BrowsePage />, answering(() => aPage()));
  expect(await screen.findByRole("option", { name: "Only Filmworld", hidden: true })).toBeTruthy();
  expect(screen.queryByRole("option", { name: "Only House", hidden: true })).toBeNull();
});

test.each([
  [aPage({ totalCount: 0, nodes: [] }), "/", "The shops have no movies"],
  [aPage({ totalCount: 0, nodes: [] }), "/?title=x", "No movie is called “x”"],
  [aPage({ totalCount: 0, nodes: [] }), "/?genre=x", "No movie passes the filter"],
  [
    aPage({ totalCount: 0, nodes: [] }),
    "/?genre=x&title=y",
    "No movie called “y” passes the filter",
  ],
  [
    aPage({ totalCount: 0, nodes: [], complete: false }),
    "/?title=x",
    "No movies yet: not every shop has answered",
  ],
])("an empty list says why it is empty", async (page, path, words) => {
  shown(<BrowsePage />, answering(() => page), { path });
  await waitFor(() => {
    expect(screen.getByRole("status").textContent).toBe(words);
  });
});

test("more movies come by the button, after those that are there", async () => {
  const more = aPage({ nodes: [{ ...ALIEN, id: "tt2", title: "Aliens" }] });
  const first = aPage({ pageInfo: { hasNextPage: true, endCursor: "c1" } });
  shown(<BrowsePage />, answering(({ after }) => (after === "c1" ? more : first)));
  fireEvent.click(await screen.findByRole("button", { name: "Show more movies" }));
  await screen.findByRole("article", { name: "Aliens" });
  expect(screen.getAllByRole("article")).toHaveLength(2);
});

test("a poster that does not load is taken from the next shop, then drawn", async () => {
  const movie = { ...ALIEN, posters: ["http://c/1.jpg", "http://f/1.jpg"] };
  const { container } = shown(<BrowsePage />, answering(() => aPage({ nodes: [movie] })));
  await screen.findByRole("article");
  for (const url of movie.posters) {
    const image = container.querySelector("img");
    expect(image?.getAttribute("src")).toBe(url);
    if (image) fireEvent.error(image);
  }
  expect(container.querySelector("img")).toBeNull();
  expect(container.querySelector("svg[data-placeholder]")).not.toBeNull();
});

test("while shops are asked the page says so, and shows what has come, until all has", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const pending = (known: number | null) => [
    aSource("cinemaworld", "OK"),
    aSource("filmworld", "PENDING", { detailsKnown: known, detailsExpected: known && 3_000 }),
  ];
  const unread = aMovie([anOffer("cinemaworld", "123.5"), anOffer("filmworld", null)], pending(null), {
    final: false,
  });
  const pages = [
    aPage({ totalCount: 0, nodes: [], complete: false, sources: pending(null) }),
    aPage({ nodes: [unread], complete: false, sources: pending(1_200) }),
    aPage(),
  ];
  const { asked } = shown(<BrowsePage />, answering(() => pages.shift() ?? aPage()));
  const polled = () => act(() => vi.advanceTimersByTimeAsync(2_000));
  await screen.findByText("filmworld: still being asked.");
  expect(screen.getByRole("status").textContent).toBe("Asking the shops…");
  expect(list().querySelectorAll("[aria-hidden]")).toHaveLength(6); // the shapes of cards
  await polled();
  const card = screen.getByRole("article");
  expect(card.textContent).toContain("filmworldreading the price…");
  expect(card.textContent).toContain("Cheapest so far at cinemaworld (filmworld is still being asked)");
  expect(screen.getByText("filmworld: still reading prices, 1,200 of 3,000.")).toBeTruthy();
  expect(said()).toBe("1 movie, prices in AUD; shops are still being asked");
  await polled();
  expect(card.textContent).toContain("Cheapest at filmworld, saves $94.00");
  expect(said()).toBe("1 movie, prices in AUD");
  expect(screen.queryByText(/still/)).toBeNull();
  await polled();
  expect(asked.filter(({ name }) => name === "Browse").map(({ variables }) => variables.maxWaitMs)).toEqual([
    700, 700, 700,
  ]);
});

const NONE = aPage({ totalCount: 0, nodes: [] });
const said = () => screen.getByRole("status").textContent;
const list = () => screen.getByRole("list", { name: "Movies" });

/** Put another search into the form, as if it was pasted. */
function search(text: string) {
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: text } });
}

interface Arguments {
  filter: { title: string | null };
  orderBy: { field: string };
  after: string | null;
}

/** Show a list whose later searches are answered by hand, in any order. */
function answeredByHand(first: Page = aPage()) {
  const waiting = new Map<string, (page: Page) => void>();
  shown(<BrowsePage />, {
    providers: () => SHOPS,
    movies: ({ filter, after, orderBy }: Arguments) => {
      const name = filter.title ?? orderBy.field;
      if (name !== "TITLE") return new Promise((resolve) => waiting.set(name, resolve));
      return after ? aPage({ nodes: [{ ...ALIEN, id: "tt2", title: "Aliens" }] }) : first;
    },
  });
  return {
    isAsked: (name: string) =>
      waitFor(() => {
        expect(waiting.has(name)).toBe(true);
      }),
    answer: (name: string, page: Page) => {
      waiting.get(name)?.(page);
      waiting.delete(name);
    },
  };
}

test("an answer is not shown for another search", async () => {
  const { isAsked, answer } = answeredByHand();
  await screen.findByRole("article");
  expect(list().getAttribute("aria-busy")).toBe("false");
  search("zzz");
  expect(said()).toBe("Searching for “zzz”…"); // before it is asked, too
  await isAsked("zzz");
  expect(said()).toBe("Searching for “zzz”…");
  expect(screen.getByRole("article")).toBeTruthy();
  expect(list().getAttribute("aria-busy")).toBe("true");
  answer("zzz", NONE);
  await screen.findByText("No movie is called “zzz”");
  search("hope");
  await isAsked("hope");
  expect(said()).toBe("Searching for “hope”…");
  answer("hope", aPage());
  await screen.findByText("1 movie, prices in AUD");
  expect(list().getAttribute("aria-busy")).toBe("false");
});

test("an empty result is checked again before it is shown again", async () => {
  const { isAsked, answer } = answeredByHand();
  await screen.findByRole("article");
  search("zzz");
  await isAsked("zzz");
  answer("zzz", NONE);
  await screen.findByText("No movie is called “zzz”");
  search("");
  await screen.findByText("1 movie, prices in AUD");
  search("zzz");
  await isAsked("zzz");
  expect(said()).toBe("Searching for “zzz”…");
  answer("zzz", aPage());
  await screen.findByText("1 movie, prices in AUD");
});

test("a list under the pointer takes the order of another search anyway", async () => {
  const two = { ...ALIEN, id: "tt2", title: "Zulu" };
  const { isAsked, answer } = answeredByHand(aPage({ totalCount: 2, nodes: [ALIEN, two] }));
  await screen.findByRole("article", { name: "Zulu" });
  fireEvent.pointerEnter(list());
  const order = screen.getByRole("combobox", { name: "Order" });
  fireEvent.change(order, { target: { value: "Price, lowest first" } });
  await isAsked("PRICE");
  answer("PRICE", aPage({ totalCount: 2, nodes: [two, ALIEN] }));
  await waitFor(() => {
    expect(list().getAttribute("aria-busy")).toBe("false");
  });
  const titles = screen.getAllByRole("article").map((card) => card.getAttribute("aria-label"));
  expect(titles).toEqual(["Zulu", "Alien"]);
});

test("the pages of a list go with it", async () => {
  const first = aPage({ pageInfo: { hasNextPage: true, endCursor: "c1" } });
  const { isAsked, answer } = answeredByHand(first);
  fireEvent.click(await screen.findByRole("button", { name: "Show more movies" }));
  await screen.findByRole("article", { name: "Aliens" });
  search("x");
  await isAsked("x");
  expect(screen.getAllByRole("article")).toHaveLength(2);
  answer("x", first);
  await screen.findByRole("button", { name: "Show more movies" });
  expect(screen.getAllByRole("article")).toHaveLength(1);
});

test("a list that is still loading offers no more pages", async () => {
  const { isAsked } = answeredByHand(aPage({ pageInfo: { hasNextPage: true, endCursor: "c1" } }));
  await screen.findByRole("button", { name: "Show more movies" });
  search("x");
  expect(screen.queryByRole("button", { name: "Show more movies" })).toBeNull();
  await isAsked("x");
});

test("a search without an answer shows no status of the one before", async () => {
  shown(<BrowsePage />, answering(({ filter }) => {
    if (filter?.title) throw new Unanswered();
    return aPage();
  }));
  await screen.findByRole("article");
  search("hope");
  await screen.findByRole("alert");
  expect(said()).toBe("No answer yet");
  expect(list().getAttribute("aria-busy")).toBe("true");
});

test("an error stays where it is while movieql is asked again", async () => {
  let times = 0;
  const movies = () => {
    if (times++ === 0) throw new Unanswered();
    return new Promise(() => undefined);
  };
  shown(<BrowsePage />, { movies, providers: () => SHOPS });
  const alert = await screen.findByRole("alert");
  fireEvent.click(screen.getByRole("button", { name: "Refresh" }));
  await waitFor(() => {
    expect(times).toBe(2);
  });
  expect(screen.getByRole("alert")).toBe(alert);
});

test("a cached empty answer is not shown while movieql does not answer", async () => {
  let isGone = false;
  const movies = () => {
    if (isGone) throw new Unanswered();
    return NONE;
  };
  shown(<BrowsePage />, answering(movies));
  await screen.findByText("The shops have no movies");
  isGone = true;
  fireEvent.click(screen.getByRole("button", { name: "Refresh" }));
  await screen.findByRole("alert");
  expect(said()).toBe("No answer yet");
});
