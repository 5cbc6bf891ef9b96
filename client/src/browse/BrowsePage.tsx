import { useSearchParams } from "wouter";

import { useDebounced } from "../components/useDebounced";
import styles from "./BrowsePage.module.css";
import { MovieList } from "./MovieList";
import { questionOf, searchOf, withPart } from "./search";
import { SearchBar } from "./SearchBar";

const TYPING_MS = 250;

/** All movies of all shops, with what each shop asks for them. */
export function BrowsePage() {
  const [params, setParams] = useSearchParams();
  const settled = useDebounced(params.toString(), TYPING_MS);
  const search = searchOf(params);
  return (
    <>
      <title>movieql</title>
      <h1 className="unseen">Movies</h1>
      <div className={styles.bar}>
        <SearchBar
          search={search}
          onChange={(part) => {
            setParams((before) => withPart(before, part), { replace: true });
          }}
        />
      </div>
      <MovieList
        question={questionOf(searchOf(new URLSearchParams(settled)))}
        entered={questionOf(search)}
      />
    </>
  );
}
