import type { ShopSourceFragment, SourceBanner_SourceFragment, SourceErrorCode } from "../graphql/generated";
import { spanWords } from "./age";
import { numberWords } from "./count";

/** What a banner says of a provider that is in trouble, or that is still being asked. */
export interface SourceWords {
  /** `filmworld took too long to answer.` */
  what: string;
  isTrouble: boolean;
  /** What that means for the prices on the page. */
  effect: string;
  /** When it is tried again. */
  next: string;
}

const REASONS: Record<SourceErrorCode, string> = {
  TIMEOUT: "took too long to answer",
  UNAVAILABLE: "does not answer",
  CIRCUIT_OPEN: "failed often and is left alone for a moment",
  RATE_LIMITED: "asked us to slow down",
  UNAUTHORIZED: "does not let us in",
  BAD_RESPONSE: "answered something unreadable",
  INTERNAL: "could not be asked",
};

/** Whether an answer did not wait for all that providers were asked for. */
export function isPending(sources: readonly ShopSourceFragment[]): boolean {
  return sources.some(({ status }) => status === "PENDING");
}

/** What to say of a provider; null when it is well, or old data is merely being renewed. */
export function sourceWords(
  source: SourceBanner_SourceFragment,
  nowMs: number,
  pollMs: number,
): SourceWords | null {
  const { error, provider, status } = source;
  if (status === "PENDING") return { what: pendingWords(source), isTrouble: false, effect: "", next: "" };
  if (status === "OK" || (status !== "FAILED" && !error)) return null;
  // A newer server may know codes that this page does not: they count as INTERNAL.
  const reasons: Partial<Record<string, string>> = REASONS;
  const reason = reasons[error?.code ?? "INTERNAL"] ?? REASONS.INTERNAL;
  return {
    what: `${provider.name} ${reason}.`,
    isTrouble: true,
    effect: effectWords(source, nowMs),
    next: nextWords(error, pollMs),
  };
}

function pendingWords(source: SourceBanner_SourceFragment): string {
  const { provider, detailsKnown: known, detailsExpected: expected } = source;
  if (known === null || expected === null || known >= expected) return `${provider.name}: still being asked.`;
  const counted = `${numberWords(known)} of ${numberWords(expected)}`;
  return `${provider.name}: still reading ${thingsOf(provider)}, ${counted}.`;
}

function effectWords(
  { status, asOf, provider }: SourceBanner_SourceFragment,
  nowMs: number,
): string {
  const things = thingsOf(provider);
  if (status === "STALE" && asOf) return `Its ${things} are ${spanWords(asOf, nowMs)} old.`;
  return `Its ${things} may be missing.`;
}

function thingsOf({ sells }: SourceBanner_SourceFragment["provider"]): string {
  return sells ? "prices" : "descriptions";
}

function nextWords(error: SourceBanner_SourceFragment["error"], pollMs: number): string {
  if (error?.retryable === false) return "It has to be repaired; trying again does not help.";
  const waitMs = error?.retryAfterMs ?? 0;
  return waitMs > pollMs ? `Tried again in ${seconds(waitMs)}.` : `Tried again every ${seconds(pollMs)}.`;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000).toString()} s`;
}
