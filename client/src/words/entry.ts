import { countWords as numbered } from "./count";

/** `“Heat” (1995)`: a movie in a sentence. */
export function movieWords({ name, year }: { name: string; year: number | string }): string {
  return `“${name.trim()}” (${year.toString().trim()})`;
}

/** How many movies of its own the house has. */
export function countWords(count: number): string {
  return `${numbered(count, "movie")} of our own`;
}
