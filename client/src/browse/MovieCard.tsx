import type { MovieCard_MovieFragment } from "../graphql/generated";
import { type OfferWords, absenceWords, offerWords } from "../words/offer";
import { type Mark, OfferRow } from "../components/OfferRow";
import { Poster } from "../components/Poster";
import { Verdict } from "../components/Verdict";
import styles from "./MovieCard.module.css";

interface Props {
  movie: MovieCard_MovieFragment;
  nowMs: number;
  onRefresh: () => void;
}

interface Row {
  key: string;
  shop: string;
  words: OfferWords;
  mark: Mark;
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
            {title} <span className={styles.year}>{movie.year ?? "year unknown"}</span>
          </h2>
          <ul className={styles.offers}>
            {rows(movie, nowMs).map(({ key, ...row }) => (
              <OfferRow key={key} {...row} title={title} onRefresh={onRefresh} />
            ))}
          </ul>
        </div>
        <Verdict movie={movie} nowMs={nowMs} />
      </article>
    </li>
  );
}

function rows(movie: MovieCard_MovieFragment, nowMs: number): Row[] {
  return movie.sources
    .filter((source) => source.provider.sells)
    .flatMap((source) => {
      const { id, name } = source.provider;
      const offers = movie.offers.filter((offer) => offer.provider.id === id);
      if (offers.length === 0) {
        return [{ key: id, shop: name, words: absenceWords(source, nowMs), mark: "none" }];
      }
      return offers.map((offer) => ({
        key: `${id} ${offer.providerMovieId}`,
        shop: name,
        words: offerWords(offer, nowMs),
        mark: markOf(movie, id, offer.providerMovieId),
      }));
    });
}

function markOf({ cheapest }: MovieCard_MovieFragment, shop: string, id: string): Mark {
  const { offer, final } = cheapest;
  if (offer?.provider.id !== shop || offer.providerMovieId !== id) return "none";
  return final ? "cheapest" : "cheapestSoFar";
}
