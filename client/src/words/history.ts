import type { PricePointFragment } from "../graphql/generated";
import { moneyWords } from "./money";

const DAY_MS = 86_400_000;

/** `$29.50 at Filmworld, since 28 Nov, 14:05`: a price, and when it was first seen. */
export function pointWords(point: PricePointFragment, nowMs: number): string {
  const since = momentWords(Date.parse(point.at), nowMs);
  return `${moneyWords(point.price)} at ${point.provider.name}, seen from ${since}`;
}

/** `14:05` today, else `28 Nov, 14:05`; in the reader's own time zone. */
export function momentWords(ms: number, nowMs: number): string {
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const day = { day: "numeric", month: "short" } as const;
  const moment = new Date(ms);
  const isToday =
    Math.abs(nowMs - ms) < DAY_MS && moment.getDate() === new Date(nowMs).getDate();
  return isToday
    ? moment.toLocaleTimeString("en-GB", time)
    : moment.toLocaleString("en-GB", { ...day, ...time });
}
