import { type FocusEvent, useState } from "react";

import type { BrowseQueryVariables } from "../graphql/generated";
import styles from "./MovieList.module.css";
import { MoviesPage } from "./MoviesPage";
import type { Search } from "./search";
import { usePagesCount } from "./usePagesCount";

interface Props {
  /** Names the question: with another one, the list begins anew. */
  scope: string;
  search: Search;
  question: BrowseQueryVariables;
}

/** The movies that were asked for, in as many pages as were scrolled to. */
export function MovieList({ scope, search, question }: Props) {
  const [count, setCount] = usePagesCount(scope);
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  return (
    <ul
      className={styles.list}
      aria-label="Movies"
      onPointerEnter={() => {
        setPointedAt(true);
      }}
      onPointerLeave={(event) => {
        setPointedAt(false);
        // A button that is gone once it was pressed takes the focus along without a word.
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
        scope={scope}
        search={search}
        question={question}
        after={null}
        pagesLeft={count - 1}
        isHeld={isPointedAt || isFocused}
        onMore={() => {
          setCount(count + 1);
        }}
      />
    </ul>
  );
}
