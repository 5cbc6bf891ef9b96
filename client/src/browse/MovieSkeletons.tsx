import cardStyles from "./MovieCard.module.css";
import styles from "./MovieSkeletons.module.css";

const COUNT = 6;

/** The shape of what will come, while the first answer is awaited. */
export function MovieSkeletons() {
  return Array.from({ length: COUNT }, (_, index) => (
    <li key={index} className={cardStyles.item} aria-hidden="true">
      <div className={cardStyles.card}>
        <div className={styles.poster} />
        <div className={styles.lines}>
          <div className={styles.line} />
          <div className={styles.line} />
          <div className={styles.line} />
        </div>
      </div>
    </li>
  ));
}
