/** Where each page is; the server answers each of these addresses with the client. */
export const ROUTES = {
  browse: "/",
  movie: "/movie/:id",
  exports: "/exports",
  catalogue: "/catalogue",
  catalogueNew: "/catalogue/new",
  catalogueEntry: "/catalogue/:id",
  graphiql: "/graphql",
} as const;

/** Where the page of a movie is. */
export function moviePath(id: string): string {
  return `/movie/${encodeURIComponent(id)}`;
}

/** Where an entry of the house catalogue is edited; the id may be that of the merged movie. */
export function cataloguePath(id: string): string {
  return `/catalogue/${encodeURIComponent(id)}`;
}
