import { changerWords, type Meeting, valueWords } from "../words/conflict";
import styles from "./ConflictField.module.css";
import type { Difference, Side } from "./merge";

interface Props {
  /** Of the pair of radio buttons. */
  name: string;
  difference: Difference;
  how: Meeting;
  choice: Side | undefined;
  /** Whether somebody wanted to save before everything was chosen. */
  isAsking: boolean;
  onChoose: (side: Side) => void;
}

/** A field that two people have filled differently. */
export function ConflictField({ name, difference, how, choice, isAsking, onChoose }: Props) {
  const { field, before, mine, theirs, changedBy } = difference;
  const isMissing = isAsking && choice === undefined;
  return (
    <fieldset className={styles.field} aria-describedby={isMissing ? `${name}-fault` : undefined}>
      <legend className={styles.legend}>
        {field.label} <span className={styles.note}>{changerWords(changedBy, how)}</span>
      </legend>
      {how === "changed" && changedBy === "both" && (
        <p className={styles.before}>Before: {valueWords(before)}</p>
      )}
      {isMissing && (
        <p id={`${name}-fault`} className="fault">
          Choose one of both.
        </p>
      )}
      <div className={styles.sides}>
        {(["mine", "theirs"] as const).map((side) => (
          <label key={side} className={styles.side}>
            <input
              type="radio"
              name={name}
              checked={choice === side}
              onChange={() => {
                onChoose(side);
              }}
            />
            <span className={styles.text}>
              <span className={styles.whose}>{side === "mine" ? "Yours" : "Theirs"}</span>
              {valueWords(side === "mine" ? mine : theirs)}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
