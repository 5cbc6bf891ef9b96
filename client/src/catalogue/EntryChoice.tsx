import { Link } from "wouter";

import { cataloguePath, moviePath } from "../app/routes";
import { Heading } from "../components/Heading";
import { movieWords } from "../words/entry";
import listStyles from "./EntryList.module.css";
import styles from "./EntryPage.module.css";
import type { Entry } from "./fields";

interface Props {
  entries: readonly Entry[];
  /** Of the merged movie that all of them are part of. */
  movieId: string;
}

/** Leads to the entries of a movie that has several. */
export function EntryChoice({ entries, movieId }: Props) {
  return (
    <>
      <Heading title="This movie has several entries" />
      <p className={styles.about}>
        Their titles differ only in punctuation, spaces or accents.{" "}
        <Link href={moviePath(movieId)}>See what shops ask for it</Link>
      </p>
      <ul className={listStyles.list} aria-label="Entries of this movie">
        {entries.map((entry) => (
          <li key={entry.id}>
            <Link href={cataloguePath(entry.id)}>Edit {movieWords(entry)}</Link>
          </li>
        ))}
      </ul>
    </>
  );
}
