import { useNow } from "../components/useNow";
import type { BrowseQueryVariables } from "../graphql/generated";
import { LoadMore } from "./LoadMore";
import { MovieCard } from "./MovieCard";
import { MovieSkeletons } from "./MovieSkeletons";
import type { Search } from "./search";
import { Status } from "./Status";
import { useHeldOrder } from "./useHeldOrder";
import { useMovies } from "./useMovies";

interface Props {
  scope: string;
  search: Search;
  /** The same as `search`, as the server is asked. */
  question: BrowseQueryVariables;
  /** The cursor of the last movie before this page; null for the first page. */
  after: string | null;
  /** How many pages to show after this one. */
  pagesLeft: number;
  /** Whether somebody points at the list, so that nothing may move. */
  isHeld: boolean;
  onMore: () => void;
}

const AGES_MS = 1_000;

/** One page of cards, and the pages after it: each starts where the one before it ends. */
export function MoviesPage({ scope, search, question, after, pagesLeft, isHeld, onMore }: Props) {
  const movies = useMovies({ ...question, after });
  const nowMs = useNow(AGES_MS);
  const page = movies.data?.movies;
  const shown = useHeldOrder(page?.nodes ?? [], isHeld, scope);
  return (
    <>
      {after === null && <Status movies={movies} search={search} nowMs={nowMs} />}
      {!page && movies.isLoading && <MovieSkeletons />}
      {shown.map((movie) => (
        <MovieCard key={movie.id} movie={movie} nowMs={nowMs} onRefresh={movies.refresh} />
      ))}
      {page?.pageInfo.hasNextPage &&
        (pagesLeft > 0 ? (
          <MoviesPage
            scope={scope}
            search={search}
            question={question}
            after={page.pageInfo.endCursor}
            pagesLeft={pagesLeft - 1}
            isHeld={isHeld}
            onMore={onMore}
          />
        ) : (
          <LoadMore onMore={onMore} />
        ))}
    </>
  );
}
