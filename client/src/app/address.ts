import { useBrowserLocation, useSearch } from "wouter/use-browser-location";

// wouter decodes an address before it takes it apart, so that an encoded `%` or slash of an id
// would count as one of the address: what it decodes has to be the address as it is.
const encoded = (part: string) => part.replaceAll("%", "%25");

/** The path of the page, as it is. */
export function usePath(): ReturnType<typeof useBrowserLocation> {
  const [path, navigate] = useBrowserLocation();
  return [encoded(path), navigate];
}

/** What follows the path's question mark, as it is. */
export const useQueryString = () => encoded(useSearch());

/** How a route's parts are read: as the server does, to which case and a last slash count. */
export function partsOf(route: string): { pattern: Pick<RegExp, "exec"> } {
  const pattern = new RegExp(`^${route.replace("*", ".*").replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`);
  return { pattern: { exec: (path) => decoded(pattern.exec(path)) } };
}

function decoded(found: RegExpExecArray | null): RegExpExecArray | null {
  const parts = Object.entries(found?.groups ?? {});
  try {
    const groups = Object.fromEntries(parts.map(([name, part]) => [name, decodeURIComponent(part)]));
    return found && Object.assign(found, { groups });
  } catch {
    return null; // it is no text, so it names nothing
  }
}
