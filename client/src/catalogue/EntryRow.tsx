import { Link } from "wouter";

import { cataloguePath, moviePath } from "../app/routes";
import type { HouseCatalogueQuery } from "../graphql/generated";
import styles from "./EntryRow.module.css";

type Listed = HouseCatalogueQuery["movies"]["nodes"][number]["catalogueEntries"][number];

interface Props {
  entry: Listed;
  /** Of the merged movie that the entry is part of. */
  movieId: string;
}

/** An entry in the list, with the ways to edit it and to its prices. */
export function EntryRow({ entry, movieId }: Props) {
  const { id, name, year, director } = entry;
  return (
    <li className={styles.row}>
      <span className={styles.movie}>
        <Link href={cataloguePath(id)} aria-label={`Edit ${name} (${year.toString()})`}>
          {name}
        </Link>{" "}
        <span className={styles.quiet}>{year}</span>
      </span>
      <span className={styles.quiet}>{director ?? "director unknown"}</span>
      <Link href={moviePath(movieId)} aria-label={`What shops ask for ${name}`}>
        What shops ask
      </Link>
    </li>
  );
}
