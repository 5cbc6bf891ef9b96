import { useApolloClient } from "@apollo/client/react";
import { useRef, useState } from "react";

import { movieWords } from "../words/entry";
import { type Refusal, unreadWords } from "../words/refusal";
import styles from "./DeleteEntry.module.css";
import type { Entry } from "./fields";
import { entryNow } from "./reading";
import { remove } from "./writing";

interface Props {
  entry: Entry;
  /** Of the merged movie that the entry is part of. */
  movieId: string | null;
  onDeleted: () => void;
  /** Somebody else changed it meanwhile: nothing was deleted. */
  onChanged: (now: Entry) => void;
  onRefused: (refusal: Refusal) => void;
}

/** Deletes an entry after a confirmation. */
export function DeleteEntry({ entry, movieId, onDeleted, onChanged, onRefused }: Props) {
  const client = useApolloClient();
  const button = useRef<HTMLButtonElement>(null);
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);

  async function deleted(): Promise<void> {
    const outcome = await remove(client, entry, movieId);
    if (outcome.kind === "refused") onRefused(outcome.refusal);
    else if (outcome.kind === "deleted" || outcome.isGone) onDeleted();
    else {
      const now = await entryNow(client, entry.id, entry.version);
      if (now) onChanged(now);
      else onDeleted();
    }
  }

  async function confirm(): Promise<void> {
    setBusy(true);
    try {
      await deleted();
    } catch (error) {
      onRefused(unreadWords(error, false));
    } finally {
      setBusy(false);
      setAsking(false);
    }
  }

  return (
    <div className={styles.delete}>
      <button
        ref={button}
        type="button"
        className="button"
        aria-expanded={isAsking}
        onClick={() => {
          setAsking(!isAsking);
        }}
      >
        Delete this movie
      </button>
      {isAsking && (
        <div className={styles.question} role="group" aria-label="Delete this movie">
          <p className={styles.words}>
            Delete {movieWords(entry)} from the house catalogue? What shops sell stays.
          </p>
          <button
            type="button"
            className="button"
            autoFocus
            onClick={() => {
              setAsking(false);
              button.current?.focus();
            }}
          >
            Keep it
          </button>
          <button
            type="button"
            className="button"
            onClick={() => {
              if (!isBusy) void confirm();
            }}
          >
            {isBusy ? "Deleting…" : "Yes, delete it"}
          </button>
        </div>
      )}
    </div>
  );
}
