import type { MovieCard_MovieFragment, MoviePageQuery } from "../graphql/generated";

/** A movie as its page has it. */
export type MovieDetails = NonNullable<MoviePageQuery["movie"]>;

/** A movie that is not loaded yet, except for what a list has of it. */
export type KnownMovie = Pick<MovieDetails, "id"> &
  Partial<Omit<MovieDetails, "sources"> & Pick<MovieCard_MovieFragment, "sources">>;

/** Whether it is known what shops ask for a movie. */
export function isPriced(movie: KnownMovie): movie is KnownMovie & MovieCard_MovieFragment {
  return ![movie.title, movie.posters, movie.offers, movie.cheapest, movie.sources].includes(undefined);
}

/** Whether its page was answered: no list has the errors of sources. */
export function isWhole(movie: KnownMovie): movie is MovieDetails {
  return movie.sources?.every((source) => "error" in source) === true && "priceHistory" in movie;
}

/** A line about a movie: what it is, and what is known of it. */
export interface Fact {
  name: string;
  text: string;
}

/** What is known of a movie besides its prices; what is not known is left out. */
export function factsOf(movie: KnownMovie): Fact[] {
  const facts: [string, string | null | undefined][] = [
    ["Director", movie.director],
    ["Writers", listed(movie.writers)],
    ["Actors", listed(movie.actors)],
    ["Genres", listed(movie.genres)],
    ["Runtime", runtimeWords(movie.runtimeMinutes ?? null)],
    ["Released", dayWords(movie.released ?? null)],
    ["Rated", movie.rated],
    ["Rating", ratingWords(movie)],
    ["Metascore", movie.metascore == null ? null : `${movie.metascore.toString()} of 100`],
    ["Languages", listed(movie.languages)],
    ["Countries", listed(movie.countries)],
    ["Awards", movie.awards],
  ];
  return facts.flatMap(([name, text]) => (text ? [{ name, text }] : []));
}

/** `2 h 1 min`; null when it is not known. */
export function runtimeWords(minutes: number | null): string | null {
  if (minutes === null || minutes <= 0) return null;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest.toString()} min`;
  return rest === 0 ? `${hours.toString()} h` : `${hours.toString()} h ${rest.toString()} min`;
}

/** `25 May 1977`: a day has no time zone, so it is the same one everywhere. */
export function dayWords(day: string | null): string | null {
  if (day === null) return null;
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return null;
  return date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}

/** What to say where a movie would be, or what nobody was asked of it yet. */
export function emptyWords(isLoading: boolean, isAnswered: boolean): string {
  if (isAnswered) return "Every shop was asked, and none knows a movie with this address.";
  return isLoading ? "Asking the shops…" : "Not known yet.";
}

/** What a movie is about; null: nobody was asked yet. */
export function plotWords({ plot, sources }: KnownMovie): string | null {
  if (plot !== null) return plot ?? null;
  const isAnswered = sources?.every(({ status }) => status === "OK" || status === "STALE");
  return isAnswered ? "Nobody told what it is about." : "Not known yet: not every shop has answered.";
}

function ratingWords({ rating, votes }: KnownMovie): string | null {
  if (rating == null) return null;
  const by = votes == null ? "" : `, by ${votes.toLocaleString("en")} votes`;
  return `${rating} of 10${by}`;
}

function listed(texts: readonly string[] = []): string | null {
  return texts.join(", ") || null;
}
