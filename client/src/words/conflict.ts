import type { Difference } from "../catalogue/merge";

/** How an entry came between: it was saved meanwhile, or it was there before one added it. */
export type Meeting = "changed" | "existed";

/** What came between, and that nothing is lost. */
export function meetingWords(how: Meeting, movie: string): string {
  const what =
    how === "changed"
      ? `Somebody else changed ${movie} while you had it open.`
      : `The house catalogue has ${movie} already.`;
  return `${what} Nothing of yours is saved yet: choose what to keep of what differs.`;
}

/** What to say when the entry is gone by the time that it is saved. */
export function goneWords(movie: string): string {
  return (
    `Somebody else deleted ${movie} while you had it open. ` +
    "What you entered is still here: add it again, or discard it."
  );
}

/** What there is already that may be the same as what is to be added. */
export function nearWords(movie: string, others: readonly string[]): string {
  return (
    `There is already ${others.join(" and ")}, which may be the same movie as ${movie}. ` +
    "Nothing of yours is saved yet."
  );
}

/** Who made the difference in a field. */
export function changerWords(changedBy: Difference["changedBy"], how: Meeting): string {
  if (how === "existed") {
    if (changedBy === "both") return "both have something";
    return changedBy === "me" ? "only you have something" : "only the catalogue has something";
  }
  if (changedBy === "both") return "both of you changed it";
  return changedBy === "me" ? "only you changed it" : "only they changed it";
}

/** What a field has, and a word for it when that is nothing. */
export function valueWords(text: string): string {
  return text.trim() === "" ? "nothing" : text;
}
