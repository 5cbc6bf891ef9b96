import { focused } from "../components/focused";
import styles from "./Told.module.css";

/** What has just happened, at the top of the page that it led to; nothing for an empty text. */
export function Told({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p key={text} ref={focused} className={styles.told} role="status" tabIndex={-1}>
      {text}
    </p>
  );
}
