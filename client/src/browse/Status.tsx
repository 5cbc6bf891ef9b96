import { SourceBanner } from "./SourceBanner";
import styles from "./Status.module.css";
import { type Movies, pollMs } from "./useMovies";

interface Props {
  movies: Movies;
  title: string;
  nowMs: number;
}

/** How many movies there are, and whether all that is shown is up to date. */
export function Status({ movies, title, nowMs }: Props) {
  const { page, fault, refresh } = movies;
  return (
    <li className={styles.status}>
      <p className={styles.count} role="status">
        {countWords(movies, title)}
      </p>
      <button type="button" className="button" onClick={refresh}>
        Refresh
      </button>
      <div className={styles.banners}>
        {fault && <p className={styles.fault}>movieql does not answer. Tried again in 2 s.</p>}
        {page?.sources.map((source) => (
          <SourceBanner
            key={source.provider.id}
            source={source}
            nowMs={nowMs}
            pollMs={pollMs(page)}
          />
        ))}
      </div>
    </li>
  );
}

function countWords({ page, isLoading }: Movies, title: string): string {
  if (!page) return isLoading ? "Asking the shops…" : "No movies to show";
  if (page.totalCount > 0) return `${moviesWords(page.totalCount)}${currencyWords(page)}`;
  if (!page.complete) return "No movies yet: not every shop has answered";
  return title ? `No movie is called “${title}”` : "The shops have no movies";
}

function moviesWords(count: number): string {
  return count === 1 ? "1 movie" : `${count.toString()} movies`;
}

/** The prices on the cards have the short sign of their currency alone. */
function currencyWords(page: NonNullable<Movies["page"]>): string {
  const prices = page.nodes.flatMap((movie) => movie.offers.flatMap((offer) => offer.price ?? []));
  return prices[0] ? `, prices in ${prices[0].currency}` : "";
}
