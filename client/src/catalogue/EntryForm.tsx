import { type SyntheticEvent, useEffect, useRef } from "react";
import { useLocation } from "wouter";

import { ROUTES } from "../app/routes";
import { SignIn } from "../session/SignIn";
import { useSession } from "../session/useSession";
import { movieWords } from "../words/entry";
import { DeleteEntry } from "./DeleteEntry";
import { isDirty, type Start } from "./editing";
import { EntryFields, hasPlace } from "./EntryFields";
import styles from "./EntryForm.module.css";
import type { Entry } from "./fields";
import { RivalChoice } from "./RivalChoice";
import { useEditing } from "./useEditing";
import { useUnsaved } from "./useUnsaved";

interface Props {
  start: Start;
  /** Of the merged movie that the entry is part of, where there is one already. */
  movieId: string | null;
  /** Takes an entry that has an address of its own from now on. */
  onHome?: (entry: Entry, said: string) => void;
}

/** The form of an entry: what is in it stays in it until it is saved, whatever happens. */
export function EntryForm({ start, movieId, onHome }: Props) {
  const { session } = useSession();
  const [, navigate] = useLocation();
  const form = useEditing(start, onHome);
  const { editing, change, save, look } = form;
  const { saved, identity, rival, refusal, isBusy } = editing;
  useUnsaved(isDirty(editing, start));
  const status = useRef<HTMLParagraphElement>(null);
  useFocusAfter(rival !== null, status);

  function leave(words: string): void {
    navigate(ROUTES.catalogue, { state: { told: words } });
  }

  return (
    <div className={styles.entry}>
      {rival ? (
        <RivalChoice
          form={form}
          rival={rival}
          canSave={session !== null}
          onLeave={() => {
            leave(`${movieWords(identity)} was deleted by somebody else`);
          }}
        />
      ) : (
        <form
          className={styles.form}
          aria-label="Movie"
          onSubmit={(event: SyntheticEvent) => {
            event.preventDefault();
            if (session) save();
          }}
        >
          <EntryFields editing={editing} onChange={change} />
          {session && (
            <button type="submit" className="button primary">
              {saveWords(saved, isBusy)}
            </button>
          )}
        </form>
      )}
      <p ref={status} className={styles.status} role="status" tabIndex={-1}>
        {editing.said}
      </p>
      {refusal && !hasPlace(refusal.field) && (
        <div className="fault" role="alert">
          {refusal.text}{" "}
          {refusal.isUncertain && (
            <button type="button" className="link" onClick={look}>
              Load the entry
            </button>
          )}
        </div>
      )}
      {!session && <SignIn purpose="add and edit movies" />}
      {session && saved && !rival && (
        <DeleteEntry
          entry={saved}
          movieId={movieId}
          onDeleted={() => {
            leave(`${movieWords(saved)} is deleted`);
          }}
          onChanged={(now) => {
            form.meet(now, "changed");
          }}
          onRefused={form.refuse}
        />
      )}
    </div>
  );
}

function saveWords(saved: Entry | null, isBusy: boolean): string {
  if (isBusy) return "Saving…";
  return saved ? "Save" : "Add this movie";
}

/** Focus the status text once a choice is made and its buttons are gone. */
function useFocusAfter(isChoosing: boolean, place: { current: HTMLElement | null }): void {
  const wasChoosing = useRef(isChoosing);
  useEffect(() => {
    if (wasChoosing.current && !isChoosing) place.current?.focus();
    wasChoosing.current = isChoosing;
  }, [isChoosing, place]);
}
