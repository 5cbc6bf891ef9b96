import type { OfferRow_OfferFragment, ShopSourceFragment } from "../graphql/generated";
import { spanWords } from "./age";
import { moneyWords } from "./money";

/** A line about one shop's price: never blank, and never a 0 for what is not known. */
export interface OfferWords {
  /** `$29.50`, or what there is instead of a price. */
  text: string;
  isPrice: boolean;
  /** `12 min old`; null when there is nothing to say. */
  note: string | null;
  /** What the button that asks again is called; null: there is none. */
  action: "refresh" | "retry" | null;
}

/** What to say of an offer. */
export function offerWords(offer: OfferRow_OfferFragment, nowMs: number): OfferWords {
  if (!offer.price) {
    if (!offer.error) return { text: "reading the price…", isPrice: false, note: null, action: null };
    const action = offer.error.retryable ? "retry" : null;
    return { text: "price unavailable", isPrice: false, note: null, action };
  }
  const text = moneyWords(offer.price);
  if (!offer.stale) {
    // A fresh price is in doubt only where its shop contradicts itself.
    return { text, isPrice: true, note: offer.error && "listed more than once", action: null };
  }
  return { text, isPrice: true, note: ageNote(offer.asOf, nowMs), action: "refresh" };
}

/** What to say of a shop that has no offer of a movie: it does not sell it, or we do not know. */
export function absenceWords(source: ShopSourceFragment, nowMs: number): OfferWords {
  const nothing = { isPrice: false, note: null, action: null };
  if (source.status === "OK") return { ...nothing, text: "not sold here" };
  if (source.status === "STALE") {
    const note = source.asOf ? `${spanWords(source.asOf, nowMs)} ago` : "some time ago";
    return { ...nothing, text: "not sold here", note, action: "refresh" };
  }
  if (source.status === "PENDING") return { ...nothing, text: "still being asked" };
  if (source.status === "SKIPPED") return { ...nothing, text: "not asked" };
  return { ...nothing, text: "no answer yet", action: "retry" };
}

function ageNote(asOf: string | null, nowMs: number): string {
  return asOf === null ? "of unknown age" : `${spanWords(asOf, nowMs)} old`;
}
