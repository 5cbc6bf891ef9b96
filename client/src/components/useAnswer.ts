import { type ErrorLike, NetworkStatus } from "@apollo/client";
import { useEffect, useState } from "react";

import { type Trouble, troubleOf } from "../words/trouble";

/** What movieql answered, with the variables of that request, so that the two always match. */
export interface Answered<TData, TVariables> {
  variables: TVariables;
  data: TData;
}

/** An answer of movieql, and whether it is up to date. */
export interface Answer<TData, TVariables = unknown> {
  /** The latest answer to the question as it is now. */
  data: TData | undefined;
  /** The latest answer at all: that to the question before, while `data` is undefined. */
  latest: Answered<TData, TVariables> | undefined;
  /** Whether the first answer from the server to this question is under way. */
  isLoading: boolean;
  /** Why there is no answer of now; what was there before is in `data`. */
  trouble: Trouble | null;
  /** How soon it is asked again. */
  pollMs: number;
  refresh: () => void;
}

/** How long an answer may wait for shops: it says what is known, and the next one has the rest. */
export const MAX_WAIT_MS = 700;

const POLL_INCOMPLETE_MS = 2_000;
const POLL_COMPLETE_MS = 30_000;

/** What this needs of Apollo's `useQuery`. */
interface Query<TData, TVariables> {
  data: TData | undefined;
  variables: TVariables;
  networkStatus: NetworkStatus;
  error?: ErrorLike | undefined;
  refetch: () => Promise<unknown>;
  startPolling: (everyMs: number) => void;
  stopPolling: () => void;
}

/** Ask again and again: soon while `isComplete` says that something is missing in the answer. */
export function useAnswer<TData, TVariables>(
  query: Query<TData, TVariables>,
  isComplete: (data: TData) => boolean,
): Answer<TData, TVariables> {
  const { variables, networkStatus, error, refetch, startPolling, stopPolling } = query;
  const [kept, setKept] = useState<Answered<TData, TVariables>>();
  const latest = query.data === undefined ? kept : { variables, data: query.data };
  if (latest && (latest.data !== kept?.data || !isSame(latest.variables, kept.variables))) {
    setKept(latest);
  }
  const data = latest && isSame(latest.variables, variables) ? latest.data : undefined;
  const trouble = troubleOf(error);
  const isSettled = trouble ? !trouble.isPassing : data !== undefined && isComplete(data);
  const pollMs = isSettled ? POLL_COMPLETE_MS : POLL_INCOMPLETE_MS;
  useEffect(() => {
    startPolling(pollMs);
    return stopPolling;
  }, [startPolling, stopPolling, pollMs]);
  return {
    data,
    latest,
    isLoading: [NetworkStatus.loading, NetworkStatus.setVariables].includes(networkStatus),
    trouble,
    pollMs,
    refresh: () => {
      refetch().catch(() => undefined); // shown by `trouble`
    },
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
