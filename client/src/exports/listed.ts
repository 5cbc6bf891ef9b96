import type { ApolloCache } from "@apollo/client";

import {
  type ExportItem_ExportFragment,
  ExportsDocument,
  type ExportsQueryVariables,
} from "../graphql/generated";

/** What `useExports` asks the first part of the list with. */
const FIRST_PART = { after: null } satisfies ExportsQueryVariables;

type Added = ExportItem_ExportFragment | null | undefined;

/** What a mutation does besides that makes an export: an answer under way may be without it. */
export const PLACED = { refetchQueries: [ExportsDocument] };

/** Put an export that was just ordered on top of the list; one that is there already stays. */
export function putOnTop(cache: ApolloCache, added: Added): void {
  if (!added) return;
  cache.updateQuery({ query: ExportsDocument, variables: FIRST_PART }, (known) => {
    const page = known?.exports;
    if (!page || page.nodes.some((each) => each.id === added.id)) return undefined;
    const [latest] = page.nodes;
    // The same order twice gives an export of before, which has its place further down.
    if (latest && Date.parse(latest.createdAt) > Date.parse(added.createdAt)) return undefined;
    return { exports: { ...page, nodes: [added, ...page.nodes] } };
  });
}
