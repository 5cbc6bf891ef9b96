// What tests make their cases from.
import type {
  MovieCard_MovieFragment,
  OfferRow_OfferFragment,
  PricePointFragment,
  ShopSourceFragment,
  SourceBanner_SourceFragment,
  SourceStatus,
} from "../graphql/generated";
import type { MovieDetails } from "./movie";

export const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
export const TWELVE_MINUTES_AGO = "2026-03-01T11:48:00+00:00";

export function anOffer(
  shop: string,
  amount: string | null,
  rest: Partial<OfferRow_OfferFragment> = {},
): OfferRow_OfferFragment {
  return {
    providerMovieId: `${shop}-1`,
    provider: { id: shop },
    price: amount === null ? null : { amount, currency: "AUD" },
    asOf: TWELVE_MINUTES_AGO,
    stale: false,
    error: null,
    ...rest,
  };
}

export function aSource(
  shop: string,
  status: SourceStatus,
  rest: Partial<SourceBanner_SourceFragment> = {},
): SourceBanner_SourceFragment {
  const provider = { id: shop, name: shop, sells: true };
  return { provider, status, asOf: TWELVE_MINUTES_AGO, error: null, ...rest };
}

/** The catalogue: it describes, and sells nothing. */
export function aCatalogue(status: SourceStatus): ShopSourceFragment {
  return aSource("house", status, { provider: { id: "house", name: "house", sells: false } });
}

export function aMovie(
  offers: OfferRow_OfferFragment[],
  sources: ShopSourceFragment[],
  cheapest: { final: boolean; saving?: string },
): MovieCard_MovieFragment {
  const priced = offers.filter((offer) => offer.price);
  const [first] = priced.sort((a, b) => Number(a.price?.amount) - Number(b.price?.amount));
  return {
    id: "tt1",
    title: "Alien",
    year: 1979,
    posters: [],
    offers,
    sources,
    cheapest: {
      final: cheapest.final,
      saving: cheapest.saving ? { amount: cheapest.saving, currency: "AUD" } : null,
      offer: first ?? null,
    },
  };
}

/** A movie of which nobody told anything but its name, unless `rest` does. */
export function aMoviePage(rest: Partial<MovieDetails> = {}): MovieDetails {
  const sources = [aSource("cinemaworld", "OK"), aSource("filmworld", "OK")];
  return {
    ...aMovie([], sources, { final: true }),
    sources,
    genres: [],
    director: null,
    writers: [],
    actors: [],
    plot: null,
    runtimeMinutes: null,
    rated: null,
    released: null,
    languages: [],
    countries: [],
    awards: null,
    rating: null,
    votes: null,
    metascore: null,
    catalogueEntry: null,
    lowestIn30Days: null,
    priceHistory: [],
    ...rest,
  };
}

/** A price that a shop began to ask so many hours before NOW_MS. */
export function aPricePoint(shop: string, amount: string, hoursAgo: number): PricePointFragment {
  return {
    provider: { id: shop, name: shop },
    providerMovieId: `${shop}-1`,
    price: { amount, currency: "AUD" },
    at: new Date(NOW_MS - hoursAgo * 3_600_000).toISOString(),
  };
}
