/** Where each page is; the server answers each of these addresses with the client. */
export const ROUTES = {
  browse: "/",
  movie: "/movie/:id",
  exports: "/exports",
  graphiql: "/graphql",
} as const;

/** Where the page of a movie is. */
export function moviePath(id: string): string {
  return `/movie/${encodeURIComponent(id)}`;
}
