import { usePagesCount } from "../browse/usePagesCount";
import styles from "./EntryList.module.css";
import { EntryListPage } from "./EntryListPage";

/** The entries of the house, in as many pages as were asked for. `house` is the provider's id. */
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
