import type { SourceBanner_SourceFragment } from "../graphql/generated";
import { sourceWords } from "../words/source";
import type { Trouble } from "../words/trouble";
import styles from "./Banners.module.css";

interface Props {
  sources: readonly SourceBanner_SourceFragment[];
  /** Why movieql itself gives no answer. */
  trouble: Trouble | null;
  nowMs: number;
  /** How soon the page asks again. */
  pollMs: number;
}

/** A banner for everything that is in trouble, why and until when, and for what is still being asked. */
export function Banners({ sources, trouble, nowMs, pollMs }: Props) {
  return (
    <div className={styles.banners}>
      {trouble && (
        <p className={styles.banner} role="alert">
          {trouble.text} {trouble.isPassing && `Tried again every ${(pollMs / 1_000).toString()} s.`}
        </p>
      )}
      {sources.map((source) => {
        const words = sourceWords(source, nowMs, pollMs);
        return (
          words && (
            <p key={source.provider.id} className={words.isTrouble ? styles.banner : styles.calm}>
              <strong>{words.what}</strong> {words.effect} {words.next}
            </p>
          )
        );
      })}
    </div>
  );
}
