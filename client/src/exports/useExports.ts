import { useQuery } from "@apollo/client/react";

import { OWN } from "../apollo/session";
import { useAnswer } from "../components/useAnswer";
import { ExportsDocument, type ExportsQuery } from "../graphql/generated";
import { readErrorWords } from "../words/exportFailure";

/** A part of the caller's exports. */
export interface Listed {
  data: ExportsQuery | undefined;
  isLoading: boolean;
  /** Why the list is not up to date, or not there; null when it is. */
  trouble: string | null;
}

/** Ask for the caller's exports that come after a cursor, and now and then ask again. */
export function useExports(after: string | null): Listed {
  const query = useQuery(ExportsDocument, {
    variables: { after },
    context: OWN,
    // What is kept is this caller's: `ExportList` leaves nothing behind. And what a subscription
    // brings is shown while an answer is awaited, too.
    fetchPolicy: "cache-and-network",
  });
  const { latest, isLoading, trouble, pollMs } = useAnswer(query, () => true);
  const data = latest?.data; // beyond the first part: also that of the cursor before
  if (!trouble) return { data, isLoading, trouble: null };
  const again = `Tried again every ${(pollMs / 1_000).toString()} s.`;
  const text = trouble.isPassing ? `${trouble.text} ${again}` : readErrorWords(query.error);
  return { data, isLoading, trouble: text };
}
