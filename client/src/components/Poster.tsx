import { useState } from "react";

import { initialOf } from "../words/initial";
import styles from "./Poster.module.css";

interface Props {
  /** Addresses of the same picture, best first. */
  urls: readonly string[];
  title: string;
}

/** The picture of a movie: the first that loads; a drawn one where none does. */
export function Poster({ urls, title }: Props) {
  const [broken, setBroken] = useState<ReadonlySet<string>>(new Set());
  const url = urls.find((each) => !broken.has(each));
  if (url === undefined) return <Placeholder title={title} />;
  return (
    <img
      key={url}
      className={styles.poster}
      src={url}
      alt=""
      loading="lazy"
      referrerPolicy="no-referrer"
      onError={() => {
        setBroken(new Set([...broken, url]));
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
        {initialOf(title)}
      </text>
    </svg>
  );
}
