/** Where each page is; the server answers each of these addresses with the client. */
export const ROUTES = {
  browse: "/",
  graphiql: "/graphql",
} as const;
