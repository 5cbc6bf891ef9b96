import { useQuery } from "@apollo/client/react";
import { Link } from "wouter";

import { ROUTES } from "../app/routes";
import { Banners } from "../components/Banners";
import { Heading } from "../components/Heading";
import { useAnswer } from "../components/useAnswer";
import { useNow } from "../components/useNow";
import { MoviePageDocument } from "../graphql/generated";
import { emptyWords } from "../words/movie";
import { Details } from "./Details";
import styles from "./MoviePage.module.css";
import { OffersTable } from "./OffersTable";
import { PriceHistory } from "./PriceHistory";

const AGES_MS = 1_000;
const UNTITLED = "Title not known yet";

/** Everything about one movie: what each shop asks now and asked before, and what it is about. */
export function MoviePage({ id }: { id: string }) {
  const query = useQuery(MoviePageDocument, { variables: { id }, fetchPolicy: "cache-and-network" });
  const { data, isLoading, trouble, pollMs, refresh } = useAnswer(
    query,
    ({ movie }) => movie?.sources.every((source) => source.status === "OK") ?? true,
  );
  const nowMs = useNow(AGES_MS);
  const movie = data?.movie;
  return (
    <>
      <p className={styles.back}>
        <Link href={ROUTES.browse}>All movies</Link>
      </p>
      {movie ? (
        <article className={styles.movie}>
          <Heading title={movie.title ?? UNTITLED}>
            {movie.title ?? UNTITLED}{" "}
            <span className={styles.year}>{movie.year ?? "year unknown"}</span>
          </Heading>
          <div className={styles.columns}>
            <div className={styles.prices}>
              <OffersTable movie={movie} nowMs={nowMs} onRefresh={refresh} />
              <PriceHistory movie={movie} nowMs={nowMs} />
            </div>
            <div className={styles.details}>
              <Details movie={movie} />
            </div>
          </div>
        </article>
      ) : (
        <>
          <Heading title={data ? "No such movie" : "Movie"} />
          <p role="status">{emptyWords(isLoading, data !== undefined)}</p>
        </>
      )}
      <Banners sources={movie?.sources ?? []} trouble={trouble} nowMs={nowMs} pollMs={pollMs} />
    </>
  );
}
