import type { Meeting } from "../words/conflict";
import { movieWords } from "../words/entry";
import type { Refusal } from "../words/refusal";
import { isUnchanged } from "./changes";
import type { Identity } from "./checks";
import { type Draft, draftOf, EMPTY, type Entry } from "./fields";
import { differencesOf } from "./merge";

/** What a form begins with: an entry, or what is to become one. */
export interface Start {
  entry: Entry | null;
  identity: Identity;
  draft: Draft;
}

/** What somebody else did meanwhile, or before. */
export type Rival =
  | { how: Meeting; theirs: Entry }
  | { how: "near"; entries: readonly Entry[] }
  | { how: "gone" };

/** A form that somebody is filling in. */
export interface Editing {
  /** The entry as it was last seen or written; null: it is to be added. */
  saved: Entry | null;
  identity: Identity;
  draft: Draft;
  rival: Rival | null;
  refusal: Refusal | null;
  /** What happened last, for those who cannot see it. */
  said: string;
  isBusy: boolean;
}

/** The form of an entry that is there. */
export function startOf(entry: Entry): Start {
  return { entry, identity: identityOf(entry), draft: draftOf(entry) };
}

/** A form in which nobody has changed anything yet. */
export function begun({ entry, identity, draft }: Start, said = ""): Editing {
  return { saved: entry, identity, draft, rival: null, refusal: null, said, isBusy: false };
}

/** What the changes are changes of. */
export function baseOf({ saved }: Editing): Draft {
  return saved ? draftOf(saved) : EMPTY;
}

/** Whether something would be lost if the page were closed. */
export function isDirty(editing: Editing, start: Start): boolean {
  const { saved, identity, draft, rival } = editing;
  if (rival) return true;
  if (saved) return !isUnchanged(baseOf(editing), draft);
  const isRenamed = identity.name !== start.identity.name || identity.year !== start.identity.year;
  return isRenamed || !isUnchanged(start.draft, draft);
}

/** The same form, with a reason why nothing is saved. */
export function refused(editing: Editing, refusal: Refusal): Editing {
  return { ...told(editing, ""), refusal };
}

/** The same form beside what somebody else saved. */
export function rivalled(editing: Editing, rival: Rival): Editing {
  return { ...told(editing, ""), rival };
}

/** The same form, of an entry that somebody else deleted. */
export function gone(editing: Editing): Editing {
  return rivalled(editing, { how: "gone" });
}

/** The same form, with something to say. */
export function told(editing: Editing, said: string, isBusy = false): Editing {
  return { ...editing, rival: null, refusal: null, said, isBusy };
}

/** What there is to say of an entry that turned up, without asking anybody; null: ask. */
export function settledBy(editing: Editing, theirs: Entry, how: Meeting): string | null {
  const base = baseOf(editing);
  if (differencesOf(base, editing.draft, draftOf(theirs)).length === 0) {
    return how === "changed" ? "Saved" : `${movieWords(theirs)} is there, as you entered it`;
  }
  if (!isUnchanged(base, editing.draft)) return null;
  return how === "changed"
    ? "Somebody else changed this movie: this is how it is now"
    : `The house catalogue has ${movieWords(theirs)} already: this is it`;
}

function identityOf({ name, year }: Entry): Identity {
  return { name, year: year.toString() };
}
