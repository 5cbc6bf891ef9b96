/** Where the server answers GraphQL over WebSocket: the page's own origin. */
export function socketUrl(): string {
  const url = new URL("/graphql", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
