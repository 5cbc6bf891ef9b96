import type { ExportItem_ExportFragment, ExportStatus } from "../graphql/generated";
import { spanWords } from "./age";
import { countWords, numberWords } from "./count";
import { momentWords } from "./moment";
import { sizeWords } from "./size";

/** Where an export stands. */
export interface ExportWords {
  /** `Running`, or all there is to say of one that has ended. */
  text: string;
  /** How far it is: `32 %, 2,628 of 8,000 offers`; null when there is nothing to count. */
  progress: string | null;
  tone: "open" | "good" | "warn" | "over";
}

const OPEN: readonly ExportStatus[] = ["QUEUED", "RUNNING", "RETRYING"];
const WITH_FILE: readonly ExportStatus[] = ["READY", "PARTIAL"];
const MADE_AGAIN: readonly ExportStatus[] = ["FAILED", "CANCELLED", "EXPIRED", "PARTIAL"];

/** From here on an observation is old; rows of it are marked as stale in the file. */
const OLD_MS = 3_600_000;

const AFTER_FAILURE = "Make it again, or order another window.";

/** Whether something still happens to it. */
export function isOpen({ status }: ExportItem_ExportFragment): boolean {
  return OPEN.includes(status);
}

/** Whether there is a file to download. */
export function hasFile({ status }: ExportItem_ExportFragment): boolean {
  return WITH_FILE.includes(status);
}

/** Whether the server would make it once more. */
export function canBeMadeAgain({ status }: ExportItem_ExportFragment): boolean {
  return MADE_AGAIN.includes(status);
}

/** What to say of an export's state. */
export function exportWords(each: ExportItem_ExportFragment): ExportWords {
  switch (each.status) {
    case "QUEUED":
      return { text: "Waiting until a worker is free", progress: null, tone: "open" };
    case "RUNNING":
      return { text: "Running", progress: progressWords(each), tone: "open" };
    case "RETRYING":
      return { text: retryingWords(each), progress: progressWords(each), tone: "open" };
    case "READY":
      return ended(`Ready: ${fileWords(each)}.`, "good");
    case "PARTIAL":
      return ended(`Ready in part: ${fileWords(each)}. ${missingWords(each)}`, "warn");
    case "FAILED":
      return ended(`Failed: ${each.error ?? "nobody wrote down why."} ${AFTER_FAILURE}`, "warn");
    case "CANCELLED":
      return ended("Cancelled: there is no file.", "over");
    case "EXPIRED":
      return ended("Expired: the file is no longer kept.", "over");
    default: // a newer server may know states that this page does not
      return ended("In a state that this page does not know: reload it.", "warn");
  }
}

/** What there is to know of shops that were last seen long before the window ended. */
export function oldSourcesWords(each: ExportItem_ExportFragment): string[] {
  if (!hasFile(each)) return [];
  const untilMs = Date.parse(each.until);
  return each.sources.flatMap((source) => {
    const { lastObservedAt: seen, state } = source;
    if (state !== "OBSERVED" || !seen || untilMs - Date.parse(seen) < OLD_MS) return [];
    const span = spanWords(seen, untilMs);
    return `${nameOf(source)} was last seen ${span} before the window ended: what changed after that is not in the file.`;
  });
}

/** `Kept until 8 Mar 2026, 12:00.`; null when there is no file. */
export function keptWords(each: ExportItem_ExportFragment): string | null {
  if (!hasFile(each) || each.expiresAt === null) return null;
  return `Kept until ${momentWords(each.expiresAt)}.`;
}

/** `28 Feb 2026, 12:00 – 1 Mar 2026, 12:00` */
export function windowWords({ since, until }: ExportItem_ExportFragment): string {
  return `${momentWords(since)} – ${momentWords(until)}`;
}

/** `Ordered 12 min ago, of Cinemaworld and Filmworld, compressed.` */
export function orderedWords(each: ExportItem_ExportFragment, nowMs: number): string {
  const shops = each.sources.map(nameOf);
  const of = shops.length === 0 ? "" : `, of ${listWords(shops)}`;
  return `Ordered ${spanWords(each.createdAt, nowMs)} ago${of}${each.gzip ? ", compressed" : ""}.`;
}

function ended(text: string, tone: ExportWords["tone"]): ExportWords {
  return { text, tone, progress: null };
}

function progressWords({ progress }: ExportItem_ExportFragment): string {
  const { done, total, percent } = progress;
  if (total === null) return "counting the offers";
  const all = countWords(total, "offer");
  return `${percent.toString()} %, ${numberWords(done)} of ${all}`;
}

function retryingWords({ attempts }: ExportItem_ExportFragment): string {
  return `An attempt broke off: trying again, attempt ${attempts.toString()}`;
}

function fileWords({ rows, bytes, gzip }: ExportItem_ExportFragment): string {
  const parts = [
    rows === null ? null : countWords(rows, "row"),
    bytes === null ? null : `${sizeWords(bytes)}${gzip ? " compressed" : ""}`,
  ];
  return parts.filter((part) => part !== null).join(", ") || "a file";
}

/** `Filmworld was not seen in this window, last 3 days before it ended.` */
function missingWords({ sources, until }: ExportItem_ExportFragment): string {
  const missing = sources.filter((source) => source.state === "UNOBSERVED");
  if (missing.length === 0) return "Not every shop was seen in this window.";
  return missing
    .map((source) => {
      const seen = source.lastObservedAt;
      const last = seen ? `, last ${spanWords(seen, Date.parse(until))} before it ended` : "";
      return `${nameOf(source)} was not seen in this window${last}.`;
    })
    .join(" ");
}

function nameOf({ provider, providerId }: ExportItem_ExportFragment["sources"][number]): string {
  return provider?.name ?? providerId;
}

function listWords(names: string[]): string {
  return new Intl.ListFormat("en-GB").format(names);
}
