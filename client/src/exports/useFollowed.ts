import { skipToken, useQuery, useSubscription } from "@apollo/client/react";
import { useEffect, useState } from "react";

import { OWN } from "../apollo/session";
import { ExportDocument, ExportProgressDocument } from "../graphql/generated";

const SILENCE_MS = 2_000;

/**
 * Keep what is known of an export up to date for as long as `isFollowed`.
 *
 * The server sends each change over a socket. When none comes for a while, because nothing changed,
 * the socket broke or a proxy blocks it, the server is polled instead.
 */
export function useFollowed(id: string, isFollowed: boolean): void {
  const [eventsCount, setEventsCount] = useState(0);
  const isSilent = useSilence(eventsCount);
  const progress = {
    variables: { id },
    ignoreResults: true, // they are shown from the cache
    onData: () => {
      setEventsCount((count) => count + 1);
    },
  };
  useSubscription(ExportProgressDocument, isFollowed ? progress : skipToken);
  const poll = {
    variables: { id },
    context: OWN,
    fetchPolicy: "network-only",
    pollInterval: SILENCE_MS,
  } as const;
  useQuery(ExportDocument, isFollowed && isSilent ? poll : skipToken);
}

/** Whether a count has stayed the same for a while. */
function useSilence(eventsCount: number): boolean {
  const [silentSince, setSilentSince] = useState(-1);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSilentSince(eventsCount);
    }, SILENCE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [eventsCount]);
  return silentSince === eventsCount;
}
