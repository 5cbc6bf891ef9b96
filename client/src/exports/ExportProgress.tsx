import { useId } from "react";

import type { ExportItem_ExportFragment } from "../graphql/generated";
import styles from "./ExportItem.module.css";

interface Props {
  progress: ExportItem_ExportFragment["progress"];
  /** The same in words; null while there is nothing to count. */
  text: string | null;
}

/** How far the work on an export is. */
export function ExportProgress({ progress, text }: Props) {
  const id = useId();
  const isCounted = text !== null && progress.total !== null;
  return (
    <div className={styles.progress}>
      {/* Without a value it is one of which nobody knows how far it is. */}
      <progress
        className={styles.bar}
        aria-label="Progress"
        aria-describedby={id}
        max={100}
        {...(isCounted ? { value: progress.percent } : {})}
      />
      <span id={id} className={styles.note}>
        {text}
      </span>
    </div>
  );
}
