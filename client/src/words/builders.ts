// What tests make their cases from.
import type {
  ExportItem_ExportFragment,
  ExportStatus,
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
  const details = { detailsKnown: null, detailsExpected: null };
  return { provider, status, asOf: TWELVE_MINUTES_AGO, error: null, ...details, ...rest };
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

/** A movie of which only the name is known, besides what `rest` has. */
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

export function anExport(
  status: ExportStatus,
  rest: Partial<ExportItem_ExportFragment> = {},
): ExportItem_ExportFragment {
  const isOpen = ["QUEUED", "RUNNING", "RETRYING"].includes(status);
  const hasFile = ["READY", "PARTIAL"].includes(status);
  return {
    id: "b49c9030bf5855492642b292",
    status,
    progress: hasFile
      ? { done: 13, total: 13, percent: 100 }
      : { done: 0, total: null, percent: 0 },
    attempts: status === "QUEUED" ? 0 : 1,
    since: "2026-02-28T12:00:00+00:00",
    until: "2026-03-01T12:00:00+00:00",
    gzip: false,
    createdAt: TWELVE_MINUTES_AGO,
    finishedAt: isOpen ? null : TWELVE_MINUTES_AGO,
    expiresAt: hasFile ? "2026-03-08T11:48:00+00:00" : null,
    rows: hasFile ? 13 : null,
    bytes: hasFile ? 1_912 : null,
    sha256: hasFile ? "5f1983deb6823e81116bc6fe69c8b0514b847ff6f16ba54c47f205dcfa3b55a9" : null,
    sources: [anExportSource("cinemaworld"), anExportSource("filmworld")],
    error: null,
    retryOf: null,
    ...rest,
  };
}

type ExportSource = ExportItem_ExportFragment["sources"][number];

export function anExportSource(shop: string, rest: Partial<ExportSource> = {}): ExportSource {
  return {
    providerId: shop,
    state: "OBSERVED",
    lastObservedAt: TWELVE_MINUTES_AGO,
    rows: 7,
    provider: { id: shop, name: shop },
    ...rest,
  };
}
