import type { OfferWords } from "../words/offer";
import type { Mark } from "../words/prices";
import styles from "./OfferRow.module.css";

interface Props {
  shop: string;
  words: OfferWords;
  mark: Mark;
  title: string;
  onRefresh: () => void;
}

/** What one shop asks for a movie, or why that is not known. */
export function OfferRow({ shop, words, mark, title, onRefresh }: Props) {
  const { text, isPrice, note, action } = words;
  return (
    <li className={`${styles.row ?? ""} ${styles[mark] ?? ""}`}>
      <div className={styles.shop}>
        {shop}
        {action && (
          <button
            type="button"
            className={styles.action}
            aria-label={`${action} ${shop}’s price of ${title}`}
            onClick={onRefresh}
          >
            {action}
          </button>
        )}
      </div>
      <div>
        <span className={isPrice ? styles.price : styles.absent}>{text}</span>
        {note && <span className={styles.absent}>, {note}</span>}
      </div>
    </li>
  );
}
