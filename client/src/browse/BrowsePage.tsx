import { useState } from "react";

import styles from "./BrowsePage.module.css";
import { MovieList } from "./MovieList";
import { DEFAULT_ORDER } from "./orders";
import { SearchBar } from "./SearchBar";
import { useDebounced } from "./useDebounced";

const TYPING_MS = 250;

/** All movies of all shops, with what each shop asks for them. */
export function BrowsePage() {
  const [text, setText] = useState("");
  const [order, setOrder] = useState(DEFAULT_ORDER);
  const title = useDebounced(text.trim(), TYPING_MS);
  return (
    <>
      <header className={styles.header}>
        <div className={styles.bar}>
          <h1 className={styles.name}>
            movieql <span className={styles.claim}>every shop’s price, side by side</span>
          </h1>
          <SearchBar text={text} onText={setText} order={order} onOrder={setOrder} />
        </div>
      </header>
      <main className={styles.main}>
        <MovieList title={title} order={order} />
      </main>
    </>
  );
}
