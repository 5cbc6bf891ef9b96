import { Banners } from "../components/Banners";
import type { BrowseQuery } from "../graphql/generated";
import { seenWords } from "../words/seen";
import { filtersCount, type Search } from "./search";
import styles from "./Status.module.css";
import type { Movies } from "./useMovies";

interface Props {
  movies: Movies;
  search: Search;
  nowMs: number;
}

/** How many movies there are, and whether all that is shown is up to date. */
export function Status({ movies, search, nowMs }: Props) {
  const { data, trouble, pollMs, refresh } = movies;
  const seen = seenWords(data?.movies.sources ?? [], nowMs);
  return (
    <li className={styles.status}>
      <p className={styles.count} role="status">
        {countWords(movies, search)}
      </p>
      {seen && <p className={styles.seen}>{seen}</p>}
      <button type="button" className="button" onClick={refresh}>
        Refresh
      </button>
      <Banners
        sources={data?.movies.sources ?? []}
        trouble={trouble}
        nowMs={nowMs}
        pollMs={pollMs}
      />
    </li>
  );
}

function countWords({ data, isLoading }: Movies, search: Search): string {
  const page = data?.movies;
  if (!page) return isLoading ? "Asking the shops…" : "No movies to show";
  if (page.totalCount > 0) return `${moviesWords(page.totalCount)}${currencyWords(page)}`;
  if (!page.complete) return "No movies yet: not every shop has answered";
  if (filtersCount(search) > 0) return "No movie passes the filter";
  return search.title ? `No movie is called “${search.title}”` : "The shops have no movies";
}

function moviesWords(count: number): string {
  return count === 1 ? "1 movie" : `${count.toString()} movies`;
}

/** The prices on the cards have the short sign of their currency alone. */
function currencyWords(page: BrowseQuery["movies"]): string {
  const prices = page.nodes.flatMap((movie) => movie.offers.flatMap((offer) => offer.price ?? []));
  return prices[0] ? `, prices in ${prices[0].currency}` : "";
}
