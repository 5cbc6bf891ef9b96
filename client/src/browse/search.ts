import type { BrowseQueryVariables, MovieFilter } from "../graphql/generated";
import { orderOf } from "./orders";

/** What somebody looks for, as they entered it; empty: it does not matter. */
export interface Search {
  title: string;
  /** The name of an order of `orders.ts`. */
  order: string;
  genre: string;
  yearFrom: string;
  yearTo: string;
  priceTo: string;
  /** The id of the one shop to look at. */
  shop: string;
}

export const FIELDS = ["title", "order", "genre", "yearFrom", "yearTo", "priceTo", "shop"] as const;

/** The fields that are behind "Filter". */
export const FILTERS = ["genre", "yearFrom", "yearTo", "priceTo", "shop"] as const;

const YEAR = /^\d{1,4}$/;
const PRICE = /^\d{1,9}(\.\d{1,4})?$/;

/** Read a search from a page's address, where it stands so that it can be shared and gone back to. */
export function searchOf(params: URLSearchParams): Search {
  const read = (name: (typeof FIELDS)[number]) => params.get(name) ?? "";
  return {
    title: read("title"),
    order: orderOf(read("order")).name,
    genre: read("genre"),
    yearFrom: read("yearFrom"),
    yearTo: read("yearTo"),
    priceTo: read("priceTo"),
    shop: read("shop"),
  };
}

/** Write a part of a search into what a page's address has; nothing is written as nothing. */
export function withPart(params: URLSearchParams, part: Partial<Search>): URLSearchParams {
  const changed = new URLSearchParams(params);
  for (const [name, value] of Object.entries(part)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  return changed;
}

/** How many filters a search has. */
export function filtersCount(search: Search): number {
  return FILTERS.filter((name) => search[name].trim()).length;
}

/** What to ask the server. What is no number, or no whole one yet, is left out. */
export function questionOf(search: Search): BrowseQueryVariables {
  const { field, direction } = orderOf(search.order);
  const filter: MovieFilter = {
    title: search.title.trim() || null,
    genre: search.genre.trim() || null,
    yearFrom: numberOf(search.yearFrom),
    yearTo: numberOf(search.yearTo),
    priceTo: PRICE.test(search.priceTo.trim()) ? search.priceTo.trim() : null,
    providers: search.shop ? [search.shop] : null,
  };
  return { filter, field, direction };
}

/** A key of a search, the same for every page of its results. */
export function nameOf({ filter, field, direction }: BrowseQueryVariables): string {
  return JSON.stringify([filter, field, direction]);
}

function numberOf(text: string): number | null {
  return YEAR.test(text.trim()) ? Number(text) : null;
}
