import { usePagesCount } from "../browse/usePagesCount";
import styles from "./EntryList.module.css";
import { EntryListPage } from "./EntryListPage";

/** The entries of the house catalogue, in as many pages as were loaded. `house` is its provider id. */
export function EntryList({ house }: { house: string }) {
  const [count, setCount] = usePagesCount("catalogue");
  return (
    <ul className={styles.list} aria-label="Movies of our own">
      <EntryListPage
        house={house}
        after={null}
        pagesLeft={count - 1}
        onMore={() => {
          setCount(count + 1);
        }}
      />
    </ul>
  );
}
