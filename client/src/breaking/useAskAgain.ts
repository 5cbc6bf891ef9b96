import type { ApolloClient } from "@apollo/client";
import { useApolloClient } from "@apollo/client/react";
import { useEffect, useRef } from "react";

/**
 * When everything on the page is asked anew after a change. `movieql dev` takes what it has seen
 * for fresh for 2 s: after that no answer can be from before the change. It may take another 2.5 s
 * to give up a shop that hangs, and all of it has to be on the page within 5 s.
 */
const ASKED_AFTER_MS = [0, 2_050, 3_500, 5_000];

/** What lets the page ask anew, a few times over the next seconds, instead of at its next poll. */
export function useAskAgain(): () => void {
  const client = useApolloClient();
  const asking = useRef<AbortController | null>(null);
  useEffect(
    () => () => {
      asking.current?.abort();
    },
    [],
  );
  return () => {
    asking.current?.abort();
    asking.current = new AbortController();
    void askAgain(client, asking.current.signal);
  };
}

async function askAgain(client: ApolloClient, stop: AbortSignal): Promise<void> {
  const beganMs = Date.now();
  for (const afterMs of ASKED_AFTER_MS) {
    await waited(beganMs + afterMs - Date.now());
    if (stop.aborted) return;
    // Waited for: a question that is still under way would be taken for the next one's answer.
    await client.refetchQueries({ include: "active" }).catch(() => undefined); // the pages show it
  }
}

async function waited(ms: number): Promise<void> {
  if (ms > 0) await new Promise((done) => setTimeout(done, ms));
}
