/** `8,000 rows`, `1 row`, `no rows`: a number that is known, with what it counts. */
export function countWords(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return `${numberWords(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `8,000` */
export function numberWords(count: number): string {
  return count.toLocaleString("en");
}
