import type { MoviePageQuery } from "../graphql/generated";

/** A movie as its page has it. */
export type MovieDetails = NonNullable<MoviePageQuery["movie"]>;

/** A line about a movie: what it is, and what is known of it. */
export interface Fact {
  name: string;
  text: string;
}

/** What is known of a movie besides its prices; what nobody told is left out. */
export function factsOf(movie: MovieDetails): Fact[] {
  const facts: [string, string | null][] = [
    ["Director", movie.director],
    ["Writers", listed(movie.writers)],
    ["Actors", listed(movie.actors)],
    ["Genres", listed(movie.genres)],
    ["Runtime", runtimeWords(movie.runtimeMinutes)],
    ["Released", dayWords(movie.released)],
    ["Rated", movie.rated],
    ["Rating", ratingWords(movie)],
    ["Metascore", movie.metascore === null ? null : `${movie.metascore.toString()} of 100`],
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

/** What to say where a movie would be. */
export function emptyWords(isLoading: boolean, isAnswered: boolean): string {
  if (isAnswered) return "Every shop was asked, and none knows a movie with this address.";
  return isLoading ? "Asking the shops…" : "Nothing is known of it yet.";
}

function ratingWords({ rating, votes }: MovieDetails): string | null {
  if (rating === null) return null;
  const by = votes === null ? "" : `, by ${votes.toLocaleString("en")} votes`;
  return `${rating} of 10${by}`;
}

function listed(texts: readonly string[]): string | null {
  return texts.join(", ") || null;
}
