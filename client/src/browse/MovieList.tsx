import { type FocusEvent, useState } from "react";

import { useNow } from "../components/useNow";
import type { BrowseQueryVariables } from "../graphql/generated";
import styles from "./MovieList.module.css";
import { MoviesPage } from "./MoviesPage";
import { nameOf } from "./search";
import { Status } from "./Status";
import { useMovies } from "./useMovies";
import { usePagesCount } from "./usePagesCount";

interface Props {
  question: BrowseQueryVariables;
  /** What stands in the form; while it is being typed, that is not asked yet. */
  entered: BrowseQueryVariables;
}

const AGES_MS = 1_000;

/** The movies of the search, in as many pages as were scrolled to. */
export function MovieList({ question, entered }: Props) {
  const movies = useMovies({ ...question, after: null });
  const { data, latest } = movies;
  const answer = data && nameOf(question) === nameOf(entered) ? latest : undefined;
  const [count, setCount] = usePagesCount(nameOf(latest?.variables ?? question));
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const nowMs = useNow(AGES_MS);
  const more = () => {
    setCount(count + 1);
  };
  return (
    <>
      <Status movies={movies} entered={entered} answer={answer} nowMs={nowMs} />
      <ul
        className={styles.list}
        aria-label="Movies"
        aria-busy={!answer}
        onPointerEnter={() => {
          setPointedAt(true);
        }}
        onPointerLeave={(event) => {
          setPointedAt(false);
          // A focused button that is removed fires no blur event.
          setFocused(event.currentTarget.contains(document.activeElement));
        }}
        onFocus={() => {
          setFocused(true);
        }}
        onBlur={(event: FocusEvent<HTMLElement>) => {
          setFocused(event.currentTarget.contains(event.relatedTarget));
        }}
      >
        <MoviesPage
          movies={movies}
          nowMs={nowMs}
          pagesLeft={count - 1}
          isHeld={isPointedAt || isFocused}
          onMore={answer ? more : null}
        />
      </ul>
    </>
  );
}
