const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `12 min`: how long before `nowMs` something was; a clock that runs ahead makes it 0 s. */
export function spanWords(asOf: string, nowMs: number): string {
  const spanMs = Math.max(0, nowMs - Date.parse(asOf));
  if (spanMs < MINUTE_MS) return `${whole(spanMs / SECOND_MS)} s`;
  if (spanMs < HOUR_MS) return `${whole(spanMs / MINUTE_MS)} min`;
  if (spanMs < DAY_MS) return `${whole(spanMs / HOUR_MS)} h`;
  const days = Math.floor(spanMs / DAY_MS);
  return days === 1 ? "1 day" : `${whole(days)} days`;
}

function whole(number: number): string {
  return Math.floor(number).toString();
}
