import type { MovieCard_MovieFragment } from "../graphql/generated";
import { spanWords } from "./age";
import { absenceWords, type OfferWords, offerWords } from "./offer";

/** Whether a price is the lowest, as far as that is known. */
export type Mark = "none" | "cheapest" | "cheapestSoFar";

/** A line of a movie's prices: one for every offer, and one for a shop that has none. */
export interface PriceRow {
  key: string;
  shop: string;
  words: OfferWords;
  mark: Mark;
  /** `12 s ago`: when this was seen; null when it was not. */
  seen: string | null;
}

/** What each shop asks for a movie, or why that is not known; shops in their own order. */
export function priceRows(movie: MovieCard_MovieFragment, nowMs: number): PriceRow[] {
  return movie.sources
    .filter((source) => source.provider.sells)
    .flatMap((source): PriceRow[] => {
      const { id, name } = source.provider;
      const offers = movie.offers.filter((offer) => offer.provider.id === id);
      if (offers.length === 0) {
        const seen = seenWords(source.asOf, nowMs);
        return [{ key: id, shop: name, words: absenceWords(source, nowMs), mark: "none", seen }];
      }
      return offers.map((offer) => ({
        key: `${id} ${offer.providerMovieId}`,
        shop: name,
        words: offerWords(offer, nowMs),
        mark: markOf(movie, id, offer.providerMovieId),
        seen: seenWords(offer.asOf, nowMs),
      }));
    });
}

function markOf({ cheapest }: MovieCard_MovieFragment, shop: string, id: string): Mark {
  const { offer, final } = cheapest;
  if (offer?.provider.id !== shop || offer.providerMovieId !== id) return "none";
  return final ? "cheapest" : "cheapestSoFar";
}

function seenWords(asOf: string | null, nowMs: number): string | null {
  return asOf === null ? null : `${spanWords(asOf, nowMs)} ago`;
}
