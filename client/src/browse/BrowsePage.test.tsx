import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { BrowseQuery, BrowseQueryVariables } from "../graphql/generated";
import { shown } from "../testing/page";
import { aMovie, anOffer, aSource } from "../words/builders";
import { BrowsePage } from "./BrowsePage";

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

test("what is typed is asked for once, when the typing rests", async () => {
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
