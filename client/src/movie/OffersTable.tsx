import { Verdict } from "../components/Verdict";
import type { MovieCard_MovieFragment } from "../graphql/generated";
import { type Mark, priceRows } from "../words/prices";
import styles from "./OffersTable.module.css";

interface Props {
  movie: MovieCard_MovieFragment;
  nowMs: number;
  onRefresh: () => void;
}

const MARKS: Record<Mark, string> = {
  none: "",
  cheapest: "cheapest",
  cheapestSoFar: "cheapest so far",
};

/** What each shop asks for the movie now, how old that is, and what is certain about it. */
export function OffersTable({ movie, nowMs, onRefresh }: Props) {
  return (
    <section>
      <h2 className={styles.heading}>Prices now</h2>
      <Verdict movie={movie} nowMs={nowMs} />
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Shop</th>
            <th scope="col">Price</th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody>
          {priceRows(movie, nowMs).map(({ key, shop, words, mark, seen }) => (
            <tr key={key} className={styles[mark]}>
              <th scope="row">{shop}</th>
              <td className={words.isPrice ? styles.price : undefined}>
                {words.text}
                {MARKS[mark] && <span className={styles.mark}> {MARKS[mark]}</span>}
              </td>
              <td>
                {words.note ?? seen ?? "not yet"}{" "}
                {words.action && (
                  <button
                    type="button"
                    className="link"
                    aria-label={`${words.action} ${shop}’s price`}
                    onClick={onRefresh}
                  >
                    {words.action}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
