import { useQuery } from "@apollo/client/react";
import { Link } from "wouter";

import { ROUTES } from "../app/routes";
import { Banners } from "../components/Banners";
import { Heading } from "../components/Heading";
import { MAX_WAIT_MS, useAnswer } from "../components/useAnswer";
import { useNow } from "../components/useNow";
import { MoviePageDocument } from "../graphql/generated";
import { emptyWords, isPriced, isWhole, type KnownMovie } from "../words/movie";
import { Details } from "./Details";
import styles from "./MoviePage.module.css";
import { OffersTable } from "./OffersTable";
import { PriceHistory } from "./PriceHistory";

const AGES_MS = 1_000;
const UNTITLED = "Title not known yet";
const LAST_KNOWN = "Last known; waiting for an update";

/** Everything about one movie: what each shop asks now and asked before, and what it is about. */
export function MoviePage({ id }: { id: string }) {
  const variables = { id, maxWaitMs: MAX_WAIT_MS };
  const options = { variables, fetchPolicy: "cache-and-network", returnPartialData: true } as const;
  const { data, isLoading, trouble, pollMs, refresh } = useAnswer(
    useQuery(MoviePageDocument, options),
    ({ movie }) => movie?.sources?.every((source) => source.status === "OK") ?? true,
  );
  const nowMs = useNow(AGES_MS);
  // A part that is there is whole, but for the errors of its sources, which no list has.
  const movie = data?.movie as KnownMovie | null | undefined;
  const isNone = movie === null && !isLoading && !trouble;
  const missing = emptyWords(isLoading, isNone);
  return (
    <>
      <p className={styles.back}>
        <Link href={ROUTES.browse}>All movies</Link>
        {movie && (isLoading || trouble) && <span role="status">{LAST_KNOWN}</span>}
      </p>
      {movie ? (
        <article className={styles.movie}>
          <Heading title={movie.title ?? UNTITLED}>
            {movie.title ?? UNTITLED}{" "}
            <span className={styles.year}>{movie.year ?? "year unknown"}</span>
          </Heading>
          <div className={styles.columns}>
            <div className={styles.prices}>
              {isPriced(movie) ? (
                <OffersTable movie={movie} nowMs={nowMs} onRefresh={refresh} />
              ) : (
                <p>{missing}</p>
              )}
              {isWhole(movie) && <PriceHistory movie={movie} nowMs={nowMs} />}
            </div>
            <div className={styles.details}>
              <Details movie={movie} missing={missing} />
            </div>
          </div>
        </article>
      ) : (
        <>
          <Heading title={isNone ? "No such movie" : "Movie"} />
          <p role="status">{missing}</p>
        </>
      )}
      <Banners
        sources={movie && isWhole(movie) ? movie.sources : []}
        trouble={trouble}
        nowMs={nowMs}
        pollMs={pollMs}
      />
    </>
  );
}
