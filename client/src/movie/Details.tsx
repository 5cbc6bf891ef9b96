import { Link } from "wouter";

import { cataloguePath } from "../app/routes";
import { Poster } from "../components/Poster";
import { factsOf, type KnownMovie, plotWords } from "../words/movie";
import styles from "./Details.module.css";

interface Props {
  movie: KnownMovie;
  /** What to say in the place of what is not known yet. */
  missing: string;
}

/** What a movie is about and who made it, as far as that is known. */
export function Details({ movie, missing }: Props) {
  return (
    <section className={styles.details} aria-label="About the movie">
      <div className={styles.poster}>
        <Poster urls={movie.posters ?? []} title={movie.title ?? "Untitled"} />
      </div>
      <div className={styles.text}>
        <p className={styles.plot}>{plotWords(movie) ?? missing}</p>
        <dl className={styles.facts}>
          {factsOf(movie).map(({ name, text }) => (
            <div key={name} className={styles.fact}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        {movie.catalogueEntry !== undefined && movie.title && (
          <p>
            <Link href={cataloguePath(movie.id)}>
              {movie.catalogueEntry ? "Edit what the house says of it" : "Describe it in the house catalogue"}
            </Link>
          </p>
        )}
      </div>
    </section>
  );
}
