import { useApolloClient, useMutation } from "@apollo/client/react";

import { OWN } from "../apollo/session";
import {
  CancelExportDocument,
  ExportDocument,
  type ExportItem_ExportFragment,
  RetryExportDocument,
} from "../graphql/generated";
import { changeErrorWords, exportFailureWords, readErrorWords } from "../words/exportFailure";
import { momentWords } from "../words/moment";
import { download } from "./download";
import { PLACED, putOnTop } from "./listed";
import { type Told, useAttempt } from "./useAttempt";

/** What can be done with an export, and what became of it. */
export interface ExportActions {
  isBusy: boolean;
  told: Told | null;
  download: () => void;
  cancel: () => void;
  makeAgain: () => void;
}

/** Download an export's file, end it, or have it made once more. */
export function useExportActions({ id }: ExportItem_ExportFragment): ExportActions {
  const client = useApolloClient();
  const [cancel] = useMutation(CancelExportDocument, { context: OWN, variables: { input: { id } } });
  const [retry] = useMutation(RetryExportDocument, {
    context: OWN,
    variables: { input: { id } },
    ...PLACED,
    update: (cache, { data }) => {
      putOnTop(cache, data?.retryExport?.export);
    },
  });
  const { run, ...attempt } = useAttempt();

  async function downloaded(): Promise<Told | null> {
    // A link works for minutes only, so each download asks for one of its own.
    const { data } = await client.query({
      query: ExportDocument,
      variables: { id },
      context: OWN,
      fetchPolicy: "network-only",
    });
    const url = data?.export?.downloadUrl;
    if (!url) return fault("The file is no longer there. Make it again.");
    download(url);
    return null;
  }

  async function cancelled(): Promise<Told | null> {
    const { data } = await cancel();
    const [failure] = data?.cancelExport?.errors ?? [];
    return failure ? fault(exportFailureWords(failure)) : null;
  }

  async function madeAgain(): Promise<Told | null> {
    const { data } = await retry();
    const [failure] = data?.retryExport?.errors ?? [];
    if (failure) return fault(exportFailureWords(failure));
    const again = data?.retryExport?.export;
    if (!again) return null;
    const text = `Made again: see the one that was ordered on ${momentWords(again.createdAt)}.`;
    return { text, isFault: false };
  }

  return {
    ...attempt,
    download: () => {
      run(downloaded, readErrorWords);
    },
    cancel: () => {
      run(cancelled, changeErrorWords);
    },
    makeAgain: () => {
      run(madeAgain, changeErrorWords);
    },
  };
}

function fault(text: string): Told {
  return { text, isFault: true };
}
