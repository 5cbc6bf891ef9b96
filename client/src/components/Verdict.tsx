import type { MovieCard_MovieFragment } from "../graphql/generated";
import { verdictWords } from "../words/verdict";
import styles from "./Verdict.module.css";

/** Where a movie is cheapest, as far as that is known. */
export function Verdict({ movie, nowMs }: { movie: MovieCard_MovieFragment; nowMs: number }) {
  const { text, saving, isCertain, hasPrice } = verdictWords(movie, nowMs);
  const known = hasPrice ? styles.certain : styles.unpriced;
  return (
    <p className={isCertain ? known : styles.uncertain}>
      {text}
      {saving && (
        <>
          , <strong className={styles.saving}>{saving}</strong>
        </>
      )}
    </p>
  );
}
