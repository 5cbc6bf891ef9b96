import type { ExportItem_ExportFragment } from "../graphql/generated";
import { canBeMadeAgain, hasFile, isOpen } from "../words/export";
import styles from "./ExportItem.module.css";
import { Fault } from "./Fault";
import { useExportActions } from "./useExportActions";

interface Props {
  export: ExportItem_ExportFragment;
  /** The id of what says which export the buttons are of. */
  describedBy: string;
}

/** What can be done with an export, and what became of that. */
export function ExportActionBar({ export: each, describedBy }: Props) {
  const { isBusy, told, download, cancel, makeAgain } = useExportActions(each);
  const buttons = [
    { name: "Download", act: download, isThere: hasFile(each) },
    { name: "Cancel", act: cancel, isThere: isOpen(each) },
    { name: "Make again", act: makeAgain, isThere: canBeMadeAgain(each) },
  ];
  return (
    <>
      <Fault text={told?.isFault ? told.text : null} />
      {told && !told.isFault && (
        <p className={styles.note} role="status">
          {told.text}
        </p>
      )}
      <div className={styles.actions}>
        {buttons
          .filter(({ isThere }) => isThere)
          .map(({ name, act }) => (
            <button
              key={name}
              type="button"
              className={name === "Download" ? "button primary" : "button"}
              aria-describedby={describedBy}
              disabled={isBusy}
              onClick={act}
            >
              {name}
            </button>
          ))}
      </div>
    </>
  );
}
