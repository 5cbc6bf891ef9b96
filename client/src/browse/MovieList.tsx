import { type FocusEvent, useState } from "react";

import styles from "./MovieList.module.css";
import { MoviePage } from "./MoviePage";
import type { Order } from "./orders";

interface Props {
  /** What titles have to contain; empty for all. */
  title: string;
  order: Order;
}

/** The movies that were asked for, in as many pages as were scrolled to. */
export function MovieList({ title, order }: Props) {
  const scope = `${order.name}\n${title}`;
  const [pages, setPages] = useState({ scope, count: 1 });
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const count = pages.scope === scope ? pages.count : 1;
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
      <MoviePage
        title={title}
        order={order}
        after={null}
        pagesLeft={count - 1}
        isHeld={isPointedAt || isFocused}
        onMore={() => {
          setPages({ scope, count: count + 1 });
        }}
      />
    </ul>
  );
}
