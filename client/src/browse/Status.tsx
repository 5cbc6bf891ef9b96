import { Banners } from "../components/Banners";
import type { BrowseQuery, BrowseQueryVariables, MovieFilter } from "../graphql/generated";
import { countWords as numbered } from "../words/count";
import { seenWords } from "../words/seen";
import { isPending } from "../words/source";
import styles from "./Status.module.css";
import type { Movies } from "./useMovies";

interface Props {
  movies: Movies;
  /** What is looked for. */
  entered: BrowseQueryVariables;
  /** The answer to that; undefined: it is awaited. */
  answer: Movies["latest"];
  nowMs: number;
}

/** How many movies there are, and whether all that is shown is up to date. */
export function Status({ movies, entered, answer, nowMs }: Props) {
  const { isLoading, trouble, pollMs, refresh } = movies;
  const sources = answer?.data.movies.sources ?? [];
  const isAwaited = isPending(sources);
  const isCounted =
    answer && (answer.data.movies.totalCount > 0 || !(isLoading || isAwaited || trouble)); // may be some by now
  const seen = seenWords(sources, nowMs);
  return (
    <div className={styles.status}>
      <p className={styles.count} role="status">
        {isCounted ? countWords(answer) : awaitedWords(entered, trouble !== null)}
        {/* Who hears the page is told once: how far it is changes with every answer. */}
        {isCounted && isAwaited && <span className="unseen">; shops are still being asked</span>}
      </p>
      {seen && <p className={styles.seen}>{seen}</p>}
      <button type="button" className="button" onClick={refresh}>
        Refresh
      </button>
      <Banners sources={sources} trouble={trouble} nowMs={nowMs} pollMs={pollMs} />
    </div>
  );
}

function awaitedWords({ filter }: BrowseQueryVariables, isInTrouble: boolean): string {
  if (isInTrouble) return "No answer yet";
  return filter?.title ? `Searching for “${filter.title}”…` : "Asking the shops…";
}

function countWords({ variables, data }: NonNullable<Movies["latest"]>): string {
  const page = data.movies;
  if (page.totalCount > 0) return `${numbered(page.totalCount, "movie")}${currencyWords(page)}`;
  if (!page.complete) return "No movies yet: not every shop has answered";
  return noneWords(variables.filter ?? {});
}

function noneWords({ title, ...others }: MovieFilter): string {
  const isFiltered = Object.values(others).some((value) => value !== null);
  if (isFiltered) return `No movie ${title ? `called “${title}” ` : ""}passes the filter`;
  return title ? `No movie is called “${title}”` : "The shops have no movies";
}

/** The prices on the cards have the short sign of their currency alone. */
function currencyWords(page: BrowseQuery["movies"]): string {
  const prices = page.nodes.flatMap((movie) => movie.offers.flatMap((offer) => offer.price ?? []));
  return prices[0] ? `, prices in ${prices[0].currency}` : "";
}
