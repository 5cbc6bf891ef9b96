import type { ApolloClient } from "@apollo/client";

import type { Meeting } from "../words/conflict";
import { unreadWords } from "../words/refusal";
import { changesOf } from "./changes";
import { unreadable } from "./checks";
import { baseOf, type Editing, gone, refused, rivalled, settledBy, told } from "./editing";
import type { Entry } from "./fields";
import { entryNamed, entryNow } from "./reading";
import { type Written, write } from "./writing";

/** How it goes on: with an entry as it is now, or with the same form that says why not. */
export type Next = { entry: Entry; said: string } | { form: Editing };

const SEEN_LATE =
  "Somebody else changed this movie, and it cannot be seen yet how. Save again in a moment.";
const UNWRITTEN = "It was not written. Save again to write it.";
const OVERWRITTEN = "It was there already: what you entered was saved over it";

/** Why there is nothing to send; null: there is. */
export function idle(now: Editing): Editing | null {
  const wrong = unreadable(now.identity, now.draft);
  if (wrong) return refused(now, wrong);
  const hasChanges = Object.keys(changesOf(baseOf(now), now.draft)).length > 0;
  return now.saved && !hasChanges ? told(now, "Nothing was changed, so nothing was saved") : null;
}

/** Save what is in the form; `allowNearDuplicate`: also where it may be another entry's movie. */
export async function saving(
  client: ApolloClient,
  now: Editing,
  allowNearDuplicate: boolean,
): Promise<Next> {
  if (!now.saved) {
    // A write without a version would go over an entry that is there already.
    const there = await read(now, false, () => named(client, now));
    if (there.form) return there;
    if (there.entry) return meeting(now, there.entry, "existed");
  }
  const written = await write(client, {
    name: now.identity.name,
    year: Number(now.identity.year),
    ...changesOf(baseOf(now), now.draft),
    ...(now.saved && { ifMatch: now.saved.version }),
    ...(allowNearDuplicate && { allowNearDuplicate }),
  });
  return afterWriting(client, now, written);
}

/** See whether an uncertain write was made, and what is there now. */
export async function looking(client: ApolloClient, now: Editing): Promise<Next> {
  const { saved } = now;
  const there = await read(now, true, () =>
    saved ? entryNow(client, saved.id, saved.version) : named(client, now),
  );
  if (there.form) return there;
  if (there.entry && there.entry.version !== saved?.version) {
    return meeting(now, there.entry, saved ? "changed" : "existed");
  }
  return { form: saved && !there.entry ? gone(now) : refusedWith(now, UNWRITTEN) };
}

/** Go on after an entry turned out to be another version than the form began with. */
export function meeting(now: Editing, theirs: Entry, how: Meeting): Next {
  const said = settledBy(now, theirs, how);
  return said === null ? { form: rivalled(now, { how, theirs }) } : { entry: theirs, said };
}

async function afterWriting(client: ApolloClient, now: Editing, written: Written): Promise<Next> {
  const { saved } = now;
  switch (written.kind) {
    case "written": {
      const said = written.isNew ? "Added" : "Saved";
      return { entry: written.entry, said: saved || written.isNew ? said : OVERWRITTEN };
    }
    case "near":
      return { form: rivalled(now, { how: "near", entries: written.entries }) };
    case "refused":
      return { form: refused(now, written.refusal) };
    case "conflict": {
      if (!saved || written.isGone) return { form: gone(now) };
      const there = await read(now, false, () => entryNow(client, saved.id, saved.version));
      if (there.form) return there;
      if (!there.entry) return { form: gone(now) };
      const isSeen = there.entry.version !== saved.version;
      return isSeen ? meeting(now, there.entry, "changed") : { form: refusedWith(now, SEEN_LATE) };
    }
  }
}

/** Read an entry; a failure is shown in the form. */
async function read(
  now: Editing,
  isUncertain: boolean,
  ask: () => Promise<Entry | null>,
): Promise<{ entry: Entry | null; form?: never } | { form: Editing }> {
  try {
    return { entry: await ask() };
  } catch (error) {
    return { form: refused(now, unreadWords(error, isUncertain)) };
  }
}

function named(client: ApolloClient, { identity }: Editing): Promise<Entry | null> {
  return entryNamed(client, identity.name, Number(identity.year));
}

function refusedWith(now: Editing, text: string): Editing {
  return refused(now, { text, field: null, isUncertain: false });
}
