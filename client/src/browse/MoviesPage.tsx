import type { BrowseQueryVariables } from "../graphql/generated";
import { isPending } from "../words/source";
import { LoadMore } from "./LoadMore";
import { MovieCard } from "./MovieCard";
import { MovieSkeletons } from "./MovieSkeletons";
import { nameOf } from "./search";
import { useHeldOrder } from "./useHeldOrder";
import { type Movies, useMovies } from "./useMovies";

interface Props {
  movies: Movies;
  nowMs: number;
  /** How many pages to show after this one. */
  pagesLeft: number;
  /** Whether somebody points at the list, so that nothing may move. */
  isHeld: boolean;
  /** Shows another page; null while another list is on its way. */
  onMore: (() => void) | null;
}

/** One page of cards, and the pages after it: each starts where the one before it ends. */
export function MoviesPage({ movies, ...rest }: Props) {
  const { latest, isLoading, refresh } = movies;
  const page = latest?.data.movies;
  const scope = latest ? nameOf(latest.variables) : "";
  const shown = useHeldOrder(page?.nodes ?? [], rest.isHeld, scope);
  const { nowMs, pagesLeft, onMore } = rest;
  return (
    <>
      {shown.length === 0 && (page ? isPending(page.sources) : isLoading) && <MovieSkeletons />}
      {shown.map((movie) => (
        <MovieCard key={movie.id} movie={movie} nowMs={nowMs} onRefresh={refresh} />
      ))}
      {page?.pageInfo.hasNextPage &&
        (pagesLeft > 0 ? (
          <NextPage
            {...rest}
            question={{ ...latest?.variables, after: page.pageInfo.endCursor }}
            pagesLeft={pagesLeft - 1}
          />
        ) : (
          onMore && <LoadMore onMore={onMore} />
        ))}
    </>
  );
}

function NextPage({
  question,
  ...rest
}: Omit<Props, "movies"> & { question: BrowseQueryVariables }) {
  return <MoviesPage {...rest} movies={useMovies(question)} />;
}
