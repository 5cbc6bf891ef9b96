import type { Field } from "./fields";
import styles from "./EntryField.module.css";

interface Props {
  id: string;
  label: string;
  kind: Field["kind"];
  hint?: string | undefined;
  value: string;
  /** Why the server did not take it; null: nothing is known against it. */
  fault: string | null;
  isReadOnly: boolean;
  onChange: (value: string) => void;
}

const INPUTS = {
  line: { type: "text" },
  list: { type: "text" },
  address: { type: "text", inputMode: "url" },
  number: { type: "text", inputMode: "numeric" },
  day: { type: "date", max: "9999-12-31" },
} as const;

/** A field of an entry, with what to enter and what is wrong with it. */
export function EntryField(props: Props) {
  const { id, label, kind, hint, value, fault, isReadOnly, onChange } = props;
  const notes = [hint && `${id}-hint`, fault !== null && `${id}-fault`].filter(Boolean).join(" ");
  const common = {
    id,
    value,
    readOnly: isReadOnly,
    className: `field ${styles.input ?? ""}`,
    autoComplete: "off",
    "aria-invalid": fault !== null,
    "aria-describedby": notes || undefined,
    onChange: (event: { target: { value: string } }) => {
      onChange(event.target.value);
    },
  };
  return (
    <div className={kind === "lines" ? styles.wide : styles.entry}>
      <label htmlFor={id}>{label}</label>
      {kind === "lines" ? <textarea rows={5} {...common} /> : <input {...INPUTS[kind]} {...common} />}
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
      {fault !== null && (
        <p id={`${id}-fault`} className="fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
