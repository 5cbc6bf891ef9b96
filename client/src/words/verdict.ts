import type { MovieCard_MovieFragment, ShopSourceFragment } from "../graphql/generated";
import { spanWords } from "./age";
import { isZero, moneyWords } from "./money";

/** Where a movie is cheapest, in as many words as are certain. */
export interface VerdictWords {
  text: string;
  /** `saves $94.00`; null when there is nothing to compare with. */
  saving: string | null;
  isCertain: boolean;
  /** Whether there is a price to speak of. */
  hasPrice: boolean;
}

/** What to say of a movie's prices taken together. */
export function verdictWords(movie: MovieCard_MovieFragment, nowMs: number): VerdictWords {
  const shops = movie.sources.filter((source) => source.provider.sells);
  const saving = savingWords(movie);
  const { final: isCertain, offer } = movie.cheapest;
  if (!offer) {
    return { text: noPriceWords(shops, nowMs), saving: null, isCertain, hasPrice: false };
  }
  if (!isCertain) {
    const why = pendingWords(shops, nowMs) || doubtWords(movie, shops);
    const text = `Cheapest so far at ${nameOf(offer.provider.id, shops)}`;
    return { text: why ? `${text} (${why})` : text, saving, isCertain, hasPrice: true };
  }
  if (isOnlyShop(movie, shops)) {
    return { text: `Only at ${nameOf(offer.provider.id, shops)}`, saving, isCertain, hasPrice: true };
  }
  return { text: `Cheapest at ${nameOf(offer.provider.id, shops)}`, saving, isCertain, hasPrice: true };
}

/** `filmworld has not answered, cinemaworld answered 12 min ago`; empty when all did. */
function pendingWords(shops: ShopSourceFragment[], nowMs: number): string {
  return shops
    .filter((shop) => shop.status !== "OK")
    .map(({ provider, status, asOf }) => {
      if (status === "PENDING") return `${provider.name} is still being asked`;
      if (status === "SKIPPED") return `${provider.name} was not asked`;
      return status === "STALE" && asOf
        ? `${provider.name} answered ${spanWords(asOf, nowMs)} ago`
        : `${provider.name} has not answered`;
    })
    .join(", ");
}

/** Why nothing is certain although every shop answered. */
function doubtWords(movie: MovieCard_MovieFragment, shops: ShopSourceFragment[]): string {
  const doubted = movie.offers.find((offer) => offer.error);
  if (!doubted) return "another movie with nearly the same title may be this one";
  const name = nameOf(doubted.provider.id, shops);
  return doubted.price ? `${name} lists it more than once` : `${name} names no price`;
}

function noPriceWords(shops: ShopSourceFragment[], nowMs: number): string {
  const why = pendingWords(shops, nowMs);
  return why ? `No price yet (${why})` : "No shop names a price";
}

/** Other shops there are, all of them answered, and none has it. */
function isOnlyShop(movie: MovieCard_MovieFragment, shops: ShopSourceFragment[]): boolean {
  const sellers = new Set(movie.offers.map((offer) => offer.provider.id));
  return shops.length > 1 && sellers.size === 1;
}

function savingWords({ cheapest }: MovieCard_MovieFragment): string | null {
  if (!cheapest.saving) return null;
  if (isZero(cheapest.saving)) return "same price elsewhere";
  return `saves ${moneyWords(cheapest.saving)}`;
}

function nameOf(id: string, shops: ShopSourceFragment[]): string {
  return shops.find((shop) => shop.provider.id === id)?.provider.name ?? id;
}
