import { useState } from "react";

import styles from "./Poster.module.css";

interface Props {
  url: string | null;
  title: string;
}

/** The picture of a movie; a drawn one where there is none, or it does not load. */
export function Poster({ url, title }: Props) {
  const [broken, setBroken] = useState<string | null>(null);
  if (!url || url === broken) return <Placeholder title={title} />;
  return (
    <img
      className={styles.poster}
      src={url}
      alt=""
      loading="lazy"
      referrerPolicy="no-referrer"
      onError={() => {
        setBroken(url);
      }}
    />
  );
}

function Placeholder({ title }: { title: string }) {
  return (
    <svg className={styles.poster} viewBox="0 0 60 90" aria-hidden="true" data-placeholder>
      <rect className={styles.film} width="60" height="90" />
      <path className={styles.holes} d="M5 0v90M55 0v90" />
      <text className={styles.letter} x="30" y="54" textAnchor="middle">
        {title.slice(0, 1).toUpperCase()}
      </text>
    </svg>
  );
}
