import type { ErrorLike } from "@apollo/client";
import { useEffect } from "react";

import { type Trouble, troubleOf } from "../words/trouble";

/** An answer of movieql, and whether it is up to date. */
export interface Answer<TData> {
  /** The latest answer; while a new question is under way, that to the last one. */
  data: TData | undefined;
  isLoading: boolean;
  /** Why there is no answer of now; what was there before is in `data`. */
  trouble: Trouble | null;
  /** How soon it is asked again. */
  pollMs: number;
  refresh: () => void;
}

const POLL_INCOMPLETE_MS = 2_000;
const POLL_COMPLETE_MS = 30_000;

/** What this needs of Apollo's `useQuery`. */
interface Query<TData> {
  data: TData | undefined;
  previousData?: TData | undefined;
  loading: boolean;
  error?: ErrorLike | undefined;
  refetch: () => Promise<unknown>;
  startPolling: (everyMs: number) => void;
  stopPolling: () => void;
}

/** Ask again and again: soon while `isComplete` says that something is missing in the answer. */
export function useAnswer<TData>(
  query: Query<TData>,
  isComplete: (data: TData) => boolean,
): Answer<TData> {
  const { loading, error, refetch, startPolling, stopPolling } = query;
  const data = query.data ?? query.previousData;
  const trouble = troubleOf(error);
  const isSettled = trouble ? !trouble.isPassing : data !== undefined && isComplete(data);
  const pollMs = isSettled ? POLL_COMPLETE_MS : POLL_INCOMPLETE_MS;
  useEffect(() => {
    startPolling(pollMs);
    return stopPolling;
  }, [startPolling, stopPolling, pollMs]);
  return {
    data,
    isLoading: loading,
    trouble,
    pollMs,
    refresh: () => {
      refetch().catch(() => undefined); // told by `trouble`
    },
  };
}
