import { useEffect, useId } from "react";

import type { Editing } from "./editing";
import { EntryField } from "./EntryField";
import styles from "./EntryFields.module.css";
import { FIELDS } from "./fields";

interface Props {
  editing: Editing;
  onChange: (part: Partial<Pick<Editing, "identity" | "draft">>) => void;
}

const FOUND_BY = "Cannot be changed: the movie is found by it";

/** The fields of an entry; the one that is not allowed has the focus. */
export function EntryFields({ editing, onChange }: Props) {
  const { saved, identity, draft, refusal, isBusy } = editing;
  const id = useId();
  useEffect(() => {
    if (refusal?.field) document.getElementById(`${id}-${refusal.field}`)?.focus();
  }, [id, refusal]);
  const common = (name: string) => ({
    id: `${id}-${name}`,
    fault: refusal?.field === name ? refusal.text : null,
  });
  const found = { isReadOnly: isBusy || saved !== null, hint: saved ? FOUND_BY : undefined };
  return (
    <div className={styles.fields}>
      <EntryField
        {...common("name")}
        {...found}
        label="Title"
        kind="line"
        value={identity.name}
        onChange={(name) => {
          onChange({ identity: { ...identity, name } });
        }}
      />
      <EntryField
        {...common("year")}
        {...found}
        label="Year"
        kind="number"
        value={identity.year}
        onChange={(year) => {
          onChange({ identity: { ...identity, year } });
        }}
      />
      {FIELDS.map(({ name, label, kind, hint }) => (
        <EntryField
          key={name}
          {...common(name)}
          label={label}
          kind={kind}
          hint={hint}
          value={draft[name]}
          isReadOnly={isBusy}
          onChange={(text) => {
            onChange({ draft: { ...draft, [name]: text } });
          }}
        />
      ))}
    </div>
  );
}

/** Whether a refusal is shown at a field of the form. */
export function hasPlace(field: string | null): boolean {
  return field === "name" || field === "year" || FIELDS.some(({ name }) => name === field);
}
