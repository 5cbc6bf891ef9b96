import { useEffect, useRef } from "react";

import styles from "./Told.module.css";

/** What has just happened, at the top of the page that it led to; nothing for an empty text. */
export function Told({ text }: { text: string }) {
  const place = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    place.current?.focus();
  }, [text]);
  if (!text) return null;
  return (
    <p ref={place} className={styles.told} role="status" tabIndex={-1}>
      {text}
    </p>
  );
}
