import { expect, test } from "vitest";

import {
  BrowseDocument,
  type BrowseQuery,
  type BrowseQueryVariables,
  MoviePageDocument,
} from "../graphql/generated";
import { aMovie, anOffer, aSource } from "../words/builders";
import { makeCache } from "./client";

const OFFERS = [anOffer("cinemaworld", "123.5"), anOffer("filmworld", "29.5")];
const ALL = aMovie(OFFERS, [aSource("cinemaworld", "OK"), aSource("filmworld", "OK")], {
  final: true,
});
const PART = aMovie(OFFERS.slice(0, 1), [aSource("cinemaworld", "OK"), aSource("filmworld", "SKIPPED")], {
  final: false,
});

function cacheOf(...answers: [BrowseQueryVariables, BrowseQuery["movies"]["nodes"][number]][]) {
  const cache = makeCache();
  for (const [variables, movie] of answers) {
    const named = { __typename: "Movie" as const, ...movie };
    const movies = {
      totalCount: 1,
      complete: true,
      nodes: [named],
      sources: [],
      pageInfo: { hasNextPage: false, endCursor: null },
    };
    cache.writeQuery({ query: BrowseDocument, variables, data: { movies } });
  }
  return cache;
}

const ONE_SHOP = { filter: { providers: ["cinemaworld"] } };

test("prices of a list of one shop do not overwrite those of all shops", () => {
  const cache = cacheOf([{}, ALL], [ONE_SHOP, PART]);
  const read = (variables: BrowseQueryVariables) =>
    cache.readQuery({ query: BrowseDocument, variables })?.movies.nodes[0];
  expect(read({})?.offers).toHaveLength(2);
  expect(read({})?.cheapest.final).toBe(true);
  expect(read(ONE_SHOP)?.offers).toHaveLength(1);
  expect(read(ONE_SHOP)?.cheapest.final).toBe(false);
});

function partOf(cache: ReturnType<typeof makeCache>, id: string): unknown {
  const query = cache.transformDocument(MoviePageDocument);
  const known = cache.diff({ query, variables: { id }, returnPartialData: true, optimistic: false });
  return (known.result as { movie?: unknown } | null)?.movie;
}

test("a movie starts with what a list has loaded of it", () => {
  const movie = partOf(cacheOf([{}, ALL]), "tt1");
  expect(movie).toMatchObject({ title: "Alien", offers: [{}, {}] });
  expect(movie).not.toHaveProperty("plot");
});

test("from a list of one shop a movie takes its title, not its prices", () => {
  const movie = partOf(cacheOf([ONE_SHOP, PART]), "tt1");
  expect(movie).toMatchObject({ title: "Alien" });
  expect(movie).not.toHaveProperty("offers");
});

test("a movie that no list had, or that there is not, starts with nothing", () => {
  const cache = cacheOf([{}, ALL]);
  expect(partOf(cache, "tt2")).toBeUndefined();
  cache.writeQuery({ query: MoviePageDocument, variables: { id: "tt1" }, data: { movie: null } });
  expect(partOf(cache, "tt1")).toBeNull();
});
