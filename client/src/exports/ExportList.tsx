import { useApolloClient } from "@apollo/client/react";
import { useEffect, useId, useState } from "react";

import styles from "./ExportList.module.css";
import { ExportsPart } from "./ExportsPart";

/** The caller's exports, the latest first, in as many parts as were loaded. */
export function ExportList() {
  const [count, setCount] = useState(1);
  const { cache } = useApolloClient();
  const heading = useId();
  useEffect(
    () => () => {
      // Exports of one caller must not be shown to the next.
      cache.evict({ id: "ROOT_QUERY", fieldName: "exports" });
      cache.evict({ id: "ROOT_QUERY", fieldName: "export" });
      cache.gc();
    },
    [cache],
  );
  return (
    <section aria-labelledby={heading}>
      <h2 id={heading} className={styles.heading}>
        Your exports
      </h2>
      <ul className={styles.list} aria-labelledby={heading}>
        <ExportsPart
          after={null}
          partsLeft={count - 1}
          onMore={() => {
            setCount(count + 1);
          }}
        />
      </ul>
    </section>
  );
}
