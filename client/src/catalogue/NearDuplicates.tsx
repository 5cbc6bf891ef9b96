import { focused } from "../components/focused";
import { nearWords } from "../words/conflict";
import { movieWords } from "../words/entry";
import styles from "./Conflict.module.css";
import type { Entry } from "./fields";

interface Props {
  /** What was to be added. */
  movie: string;
  entries: readonly Entry[];
  /** Whether somebody is signed in. */
  canSave: boolean;
  onSame: (entry: Entry) => void;
  onAnother: () => void;
  onBack: () => void;
}

/** Asks whether a movie that is to be added is one that the catalogue has under another name. */
export function NearDuplicates({ movie, entries, canSave, onSame, onAnother, onBack }: Props) {
  return (
    <section className={styles.conflict}>
      <h2 ref={focused} className={styles.heading} tabIndex={-1}>
        Is it the same movie?
      </h2>
      <p className={styles.told}>{nearWords(movie, entries.map(movieWords))}</p>
      <div className={styles.actions}>
        {entries.map((entry) => (
          <button
            key={entry.id}
            type="button"
            className="button primary"
            onClick={() => {
              onSame(entry);
            }}
          >
            It is the same: edit {movieWords(entry)}
          </button>
        ))}
        {canSave && (
          <button type="button" className="button" onClick={onAnother}>
            Add {movie} anyway
          </button>
        )}
        <button type="button" className="button" onClick={onBack}>
          Change what I entered
        </button>
      </div>
    </section>
  );
}
