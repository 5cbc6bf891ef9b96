import { useEffect, useEffectEvent, useRef } from "react";

import styles from "./LoadMore.module.css";

const AHEAD = "600px";

/** Asks for the next page when it scrolls near, or when its button is pressed. */
export function LoadMore({ onMore }: { onMore: () => void }) {
  const place = useRef<HTMLLIElement>(null);
  const more = useEffectEvent(onMore);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) more();
      },
      { rootMargin: AHEAD },
    );
    if (place.current) observer.observe(place.current);
    return () => {
      observer.disconnect();
    };
  }, []);
  return (
    <li ref={place} className={styles.more}>
      <button type="button" className="button" onClick={onMore}>
        Show more movies
      </button>
    </li>
  );
}
