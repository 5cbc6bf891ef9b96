import { LoadMore } from "./LoadMore";
import { MovieCard } from "./MovieCard";
import { MovieSkeletons } from "./MovieSkeletons";
import type { Order } from "./orders";
import { Status } from "./Status";
import { useHeldOrder } from "./useHeldOrder";
import { useMovies } from "./useMovies";
import { useNow } from "./useNow";

interface Props {
  title: string;
  order: Order;
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
export function MoviePage({ title, order, after, pagesLeft, isHeld, onMore }: Props) {
  const { field, direction } = order;
  const movies = useMovies({ title: title || null, field, direction, after });
  const nowMs = useNow(AGES_MS);
  const { page, isLoading, refresh } = movies;
  const shown = useHeldOrder(page?.nodes ?? [], isHeld, `${order.name}\n${title}`);
  return (
    <>
      {after === null && <Status movies={movies} title={title} nowMs={nowMs} />}
      {!page && isLoading && <MovieSkeletons />}
      {shown.map((movie) => (
        <MovieCard key={movie.id} movie={movie} nowMs={nowMs} onRefresh={refresh} />
      ))}
      {page?.pageInfo.hasNextPage &&
        (pagesLeft > 0 ? (
          <MoviePage
            title={title}
            order={order}
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
