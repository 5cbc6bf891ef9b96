import { focused } from "../components/focused";
import { goneWords } from "../words/conflict";
import styles from "./Conflict.module.css";

interface Props {
  movie: string;
  /** Whether somebody is signed in. */
  canSave: boolean;
  onAdd: () => void;
  onDiscard: () => void;
}

/** What there is to choose when somebody else deleted the entry meanwhile. */
export function Gone({ movie, canSave, onAdd, onDiscard }: Props) {
  return (
    <section className={styles.conflict}>
      <h2 ref={focused} className={styles.heading} tabIndex={-1}>
        This movie was deleted
      </h2>
      <p className={styles.told}>{goneWords(movie)}</p>
      <div className={styles.actions}>
        {canSave && (
          <button type="button" className="button primary" onClick={onAdd}>
            Add it again
          </button>
        )}
        <button type="button" className="button" onClick={onDiscard}>
          Discard mine
        </button>
      </div>
    </section>
  );
}
