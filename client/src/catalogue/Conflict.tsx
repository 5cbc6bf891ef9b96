import { type SyntheticEvent, useId, useRef, useState } from "react";

import { focused } from "../components/focused";
import { type Meeting, meetingWords } from "../words/conflict";
import { movieWords } from "../words/entry";
import styles from "./Conflict.module.css";
import { ConflictField } from "./ConflictField";
import { type Draft, draftOf, type Entry } from "./fields";
import { type Choices, differencesOf, mergedOf, presetOf, unchosen } from "./merge";

interface Props {
  how: Meeting;
  /** What both began with. */
  before: Draft;
  mine: Draft;
  theirs: Entry;
  /** Whether somebody is signed in. */
  canSave: boolean;
  onSave: (merged: Draft) => void;
  onDiscard: () => void;
}

/** Both versions of an entry side by side, where they differ, with a choice for each field. */
export function Conflict({ how, before, mine, theirs, canSave, onSave, onDiscard }: Props) {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const saved = draftOf(theirs);
  const differences = differencesOf(before, mine, saved);
  const [choices, setChoices] = useState<Choices>(() => presetOf(differences));
  const [isAsking, setAsking] = useState(false);

  function save(event: SyntheticEvent): void {
    event.preventDefault();
    const [first] = unchosen(differences, choices);
    if (!first) {
      onSave(mergedOf(mine, saved, choices));
      return;
    }
    setAsking(true);
    form.current?.querySelector<HTMLElement>(`[name="${id}-${first.field.name}"]`)?.focus();
  }

  return (
    <form ref={form} className={styles.conflict} aria-labelledby={id} onSubmit={save}>
      <h2 id={id} ref={focused} className={styles.heading} tabIndex={-1}>
        Choose what to keep
      </h2>
      <p className={styles.told}>{meetingWords(how, movieWords(theirs))}</p>
      {differences.map((difference) => (
        <ConflictField
          key={difference.field.name}
          name={`${id}-${difference.field.name}`}
          difference={difference}
          how={how}
          choice={choices[difference.field.name]}
          isAsking={isAsking}
          onChoose={(side) => {
            setChoices({ ...choices, [difference.field.name]: side });
          }}
        />
      ))}
      <div className={styles.actions}>
        {canSave && (
          <button type="submit" className="button primary">
            Save with these
          </button>
        )}
        <button type="button" className="button" onClick={onDiscard}>
          Discard mine
        </button>
      </div>
    </form>
  );
}
