import type { RequestExportInput } from "../graphql/generated";

/** An export as somebody fills it in. */
export interface Order {
  /** Whether it is of the 24 hours before the order arrives, or of those below. */
  isOfLastDay: boolean;
  /** Times as `<input type="datetime-local">` has them: in the browser's time zone. */
  since: string;
  until: string;
  /** Ids of shops that are not wanted: a shop that is new is in. */
  leftOut: readonly string[];
  gzip: boolean;
}

const DAY_MS = 24 * 3_600_000;
const MINUTE_CHARACTERS = 16; // of 2026-03-01T12:00

/** What the form has before anybody fills it in. */
export function emptyOrder(nowMs: number): Order {
  return {
    isOfLastDay: true,
    since: localMinute(nowMs - DAY_MS),
    until: localMinute(nowMs),
    leftOut: [],
    gzip: false,
  };
}

/** The input to send; what the server decides by itself is left out. */
export function inputOf(
  order: Order,
  selling: readonly string[],
  idempotencyKey: string,
): RequestExportInput {
  return {
    ...(order.isOfLastDay ? {} : { since: moment(order.since), until: moment(order.until) }),
    ...(order.leftOut.length === 0
      ? {}
      : { providers: selling.filter((id) => !order.leftOut.includes(id)) }),
    gzip: order.gzip,
    idempotencyKey,
  };
}

/** A time of the browser's zone as the world knows it; null for what is none. */
function moment(local: string): string | null {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

function localMinute(ms: number): string {
  const offsetMs = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offsetMs).toISOString().slice(0, MINUTE_CHARACTERS);
}
