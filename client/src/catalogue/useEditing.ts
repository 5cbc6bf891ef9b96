import { useApolloClient } from "@apollo/client/react";
import { useEffect, useRef, useState } from "react";

import type { Meeting } from "../words/conflict";
import type { Refusal } from "../words/refusal";
import { isUnchanged } from "./changes";
import { begun, type Editing, refused, type Start, startOf, told } from "./editing";
import { type Draft, draftOf, type Entry } from "./fields";
import { idle, looking, meeting, type Next, saving } from "./saving";

const ALL_THEIRS = "Everything is as they saved it: there was nothing left to save";

/** A form, and what one can do with it. */
export interface Form {
  editing: Editing;
  change: (part: Partial<Pick<Editing, "identity" | "draft">>) => void;
  save: () => void;
  /** See whether an uncertain write was made, and what is there now. */
  look: () => void;
  /** After a conflict: save this over what is there now, or add it again if that is gone. */
  keep: (draft: Draft) => void;
  /** Add it beside the entries that may be the same movie. */
  addBeside: () => void;
  /** Go on with what was entered, which is not saved. */
  back: () => void;
  /** Go on with an entry in place of what was entered. */
  take: (entry: Entry, said: string) => void;
  /** The entry is another version than the form began with, or was there before it. */
  meet: (theirs: Entry, how: Meeting) => void;
  /** Say why something was not done. */
  refuse: (refusal: Refusal) => void;
}

/** Fill in a form. `onHome` takes an entry that has an address of its own from now on. */
export function useEditing(
  start: Start,
  onHome?: (entry: Entry, said: string) => void,
): Form {
  const client = useApolloClient();
  const [editing, setEditing] = useState(() => begun(start));
  const isHere = useIsHere();
  const latest = useRef(editing); // for what comes back after somebody went on typing
  useEffect(() => {
    latest.current = editing;
  }, [editing]);

  function follow(next: Next): void {
    if (!isHere.current) return; // an answer that comes late must not lead anywhere
    if ("form" in next) setEditing(next.form);
    else if (onHome) onHome(next.entry, next.said);
    else setEditing(begun(startOf(next.entry), next.said));
  }

  async function save(now: Editing, allowNearDuplicate = false): Promise<void> {
    const why = idle(now);
    setEditing(why ?? told(now, "Saving…", true));
    if (!why) follow(await saving(client, now, allowNearDuplicate));
  }

  async function look(now: Editing): Promise<void> {
    setEditing(told(now, "Looking…", true));
    follow(await looking(client, now));
  }

  return {
    editing,
    change: (part) => {
      setEditing({ ...editing, ...part, said: "" });
    },
    save: () => {
      if (!editing.isBusy) void save(editing);
    },
    look: () => {
      if (!editing.isBusy) void look(editing);
    },
    keep: (draft) => {
      const { rival } = editing;
      if (!rival || !("theirs" in rival)) void save({ ...editing, saved: null, draft });
      else if (isUnchanged(draftOf(rival.theirs), draft)) {
        follow({ entry: rival.theirs, said: ALL_THEIRS });
      } else void save({ ...begun(startOf(rival.theirs)), draft });
    },
    addBeside: () => {
      void save(editing, true);
    },
    back: () => {
      setEditing(told(editing, "Nothing is saved yet"));
    },
    take: (entry, words) => {
      follow({ entry, said: words });
    },
    meet: (theirs, how) => {
      follow(meeting(latest.current, theirs, how));
    },
    refuse: (refusal) => {
      follow({ form: refused(latest.current, refusal) });
    },
  };
}

function useIsHere() {
  const isHere = useRef(false);
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);
  return isHere;
}
