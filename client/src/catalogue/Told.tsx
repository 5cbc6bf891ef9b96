import { focused } from "../components/focused";
import styles from "./Told.module.css";

/** The message of the page before, focused; nothing for an empty text. */
export function Told({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p key={text} ref={focused} className={styles.told} role="status" tabIndex={-1}>
      {text}
    </p>
  );
}
