import type { ApolloClient } from "@apollo/client";

import { NOW } from "../apollo/now";
import {
  CatalogueNodeDocument,
  HouseCatalogueDocument,
  type MovieFilter,
  ProvidersDocument,
  type SourceStatus,
} from "../graphql/generated";
import { CatalogueSilentError } from "../words/refusal";
import type { Entry } from "./fields";

const TRIES = 4;
const WAIT_MS = 400; // four looks take longer than a write needs to be seen on every server
const NAME_CHARS_MAX = 200; // a longer one is no name, and no filter either

/**
 * The entry of an id as it is now; null: there is none.
 *
 * `outdated` is a version that is known to be another by now: a server that has not seen the
 * write yet is asked again for a moment. Throws CatalogueSilentError, and what Apollo throws.
 */
export async function entryNow(
  client: ApolloClient,
  id: string,
  outdated: string | null = null,
): Promise<Entry | null> {
  let entry = await entryOnce(client, id);
  for (let tries = 1; tries < TRIES && outdated !== null && entry?.version === outdated; tries++) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    entry = await entryOnce(client, id);
  }
  return entry;
}

/**
 * The entry that has a name, in any case, and a year; null: there is none.
 *
 * Throws as `entryNow`.
 */
export async function entryNamed(
  client: ApolloClient,
  name: string,
  year: number,
): Promise<Entry | null> {
  const house = await houseOf(client);
  if (house === null || !name.trim() || name.length > NAME_CHARS_MAX) return null; // not to be written
  const filter = { providers: [house], title: name.trim(), yearFrom: year, yearTo: year };
  const id = await idNamed(client, filter, keyOf(name));
  return id === null ? null : entryNow(client, id);
}

/** The id of the entry of a name among those that a filter leaves, from a page's cursor on. */
async function idNamed(
  client: ApolloClient,
  filter: MovieFilter,
  key: string,
  after: string | null = null,
): Promise<string | null> {
  const { data } = await client.query({
    query: HouseCatalogueDocument,
    variables: { filter, after },
    fetchPolicy: "no-cache",
    context: NOW,
  });
  if (!data) return null;
  const { sources, nodes, pageInfo } = data.movies;
  checkAnswered(sources);
  const entries = nodes.flatMap((movie) => movie.catalogueEntries);
  const same = entries.find((entry) => keyOf(entry.name) === key);
  if (same || !pageInfo.hasNextPage) return same?.id ?? null;
  return idNamed(client, filter, key, pageInfo.endCursor);
}

/** The id of the provider that sells nothing; null: this server keeps no catalogue. */
async function houseOf(client: ApolloClient): Promise<string | null> {
  const { data } = await client.query({ query: ProvidersDocument });
  return data?.providers.find((provider) => !provider.sells)?.id ?? null;
}

async function entryOnce(client: ApolloClient, id: string): Promise<Entry | null> {
  const { data } = await client.query({
    query: CatalogueNodeDocument,
    variables: { id },
    fetchPolicy: "no-cache",
    context: NOW,
  });
  return data?.node?.__typename === "CatalogueEntry" ? data.node : null;
}

function checkAnswered(
  sources: readonly { provider: { sells: boolean }; status: SourceStatus }[],
): void {
  const isSilent = sources.some(({ provider, status }) => !provider.sells && status !== "OK");
  if (isSilent) throw new CatalogueSilentError();
}

/** Names are the same whatever their case, and however their accents are written. */
function keyOf(name: string): string {
  return name.trim().normalize("NFC").toLowerCase();
}
