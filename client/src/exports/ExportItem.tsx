import { useId } from "react";

import type { ExportItem_ExportFragment } from "../graphql/generated";
import { exportWords, keptWords, oldSourcesWords, orderedWords, windowWords } from "../words/export";
import { ExportActionBar } from "./ExportActionBar";
import styles from "./ExportItem.module.css";
import { ExportProgress } from "./ExportProgress";
import { useFollowed } from "./useFollowed";

interface Props {
  export: ExportItem_ExportFragment;
  nowMs: number;
  isFollowed: boolean;
}

/** An export: how it stands, and what can be done with it. */
export function ExportItem({ export: each, nowMs, isFollowed }: Props) {
  useFollowed(each.id, isFollowed);
  const heading = useId();
  const { text, tone, progress } = exportWords(each);
  const notes = [...oldSourcesWords(each), keptWords(each)].filter((note) => note !== null);
  return (
    <li>
      <article className={styles.item} aria-labelledby={heading}>
        <h3 id={heading} className={styles.window}>
          {windowWords(each)}
        </h3>
        <p className={styles.note}>
          {orderedWords(each, nowMs)}
          {each.retryOf !== null && " Made again, from one of before."}
        </p>
        <p className={styles[tone]} role="status">
          {text}
        </p>
        {tone === "open" && <ExportProgress progress={each.progress} text={progress} />}
        {notes.map((note) => (
          <p key={note} className={styles.note}>
            {note}
          </p>
        ))}
        <ExportActionBar export={each} describedBy={heading} />
        {each.sha256 !== null && (
          <details className={styles.note}>
            <summary>SHA-256</summary>
            <code className={styles.digest}>{each.sha256}</code>
          </details>
        )}
      </article>
    </li>
  );
}
