import type { ApolloLink } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

/**
 * Sends a query as its hash, by GET, so that caches on the way can answer it.
 *
 * Browsers hash only on pages that came over https or from this machine; elsewhere there is
 * no such link, and queries are sent whole, by POST.
 */
export function persistedQueries(): ApolloLink[] {
  if (!globalThis.isSecureContext) return [];
  return [new PersistedQueryLink({ sha256, useGETForHashedQueries: true })];
}

/** The SHA-256 of a text, in small hex digits. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
