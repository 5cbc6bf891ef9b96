import type { ShopSourceFragment } from "../graphql/generated";
import { spanWords } from "./age";

/** `seen 2 s ago`: how old the oldest price on the page is; null when no shop has given one. */
export function seenWords(sources: readonly ShopSourceFragment[], nowMs: number): string | null {
  const times = sources.flatMap(({ asOf, provider }) => (provider.sells && asOf ? [asOf] : []));
  const [first, ...rest] = times;
  if (first === undefined) return null;
  const oldest = rest.reduce((old, each) => (Date.parse(each) < Date.parse(old) ? each : old), first);
  return `seen ${spanWords(oldest, nowMs)} ago`;
}
