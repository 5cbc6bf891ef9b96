import type { SourceBanner_SourceFragment } from "../graphql/generated";
import { sourceWords } from "../words/source";
import styles from "./Status.module.css";

interface Props {
  source: SourceBanner_SourceFragment;
  nowMs: number;
  pollMs: number;
}

/** A provider in trouble: why, what that means, and when it is tried again. */
export function SourceBanner({ source, nowMs, pollMs }: Props) {
  const words = sourceWords(source, nowMs, pollMs);
  if (!words) return null;
  return (
    <p className={styles.banner}>
      <strong>{words.what}</strong> {words.effect} {words.next}
    </p>
  );
}
