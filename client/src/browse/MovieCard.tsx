import type { MovieCard_MovieFragment } from "../graphql/generated";
import { priceRows } from "../words/prices";
import { Link } from "wouter";

import { moviePath } from "../app/routes";
import { OfferRow } from "../components/OfferRow";
import { Poster } from "../components/Poster";
import { Verdict } from "../components/Verdict";
import styles from "./MovieCard.module.css";

interface Props {
  movie: MovieCard_MovieFragment;
  nowMs: number;
  onRefresh: () => void;
}

/** A movie and what each shop asks for it; a row for every shop, whatever it answered. */
export function MovieCard({ movie, nowMs, onRefresh }: Props) {
  const title = movie.title ?? "Untitled";
  return (
    <li className={styles.item}>
      <article className={styles.card} aria-label={title}>
        <Poster urls={movie.posters} title={title} />
        <div className={styles.facts}>
          <h2 className={styles.title}>
            <Link href={moviePath(movie.id)} className={styles.link}>
              {title}
            </Link>{" "}
            <span className={styles.year}>{movie.year ?? "year unknown"}</span>
          </h2>
          <ul className={styles.offers}>
            {priceRows(movie, nowMs).map(({ key, shop, words, mark }) => (
              <OfferRow key={key} shop={shop} words={words} mark={mark} title={title} onRefresh={onRefresh} />
            ))}
          </ul>
        </div>
        <Verdict movie={movie} nowMs={nowMs} />
      </article>
    </li>
  );
}
