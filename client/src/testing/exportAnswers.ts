import type { ApolloLink } from "@apollo/client";

import type { ExportItem_ExportFragment } from "../graphql/generated";

type Each = ExportItem_ExportFragment;

/** The shops of a server, as `Providers` is answered. */
export const PROVIDERS: ApolloLink.Result = {
  data: {
    providers: [
      { __typename: "Provider", id: "cinemaworld", name: "cinemaworld", sells: true, currency: "AUD" },
      { __typename: "Provider", id: "filmworld", name: "filmworld", sells: true, currency: "AUD" },
      { __typename: "Provider", id: "house", name: "House catalogue", sells: false, currency: null },
    ],
  },
};

/** The answer to `Exports`; `next`: the cursor of the last one, when there are more. */
export function listed(exports: Each[], next: string | null = null): ApolloLink.Result {
  return {
    data: {
      exports: {
        __typename: "ExportConnection",
        nodes: exports.map(told),
        pageInfo: { __typename: "PageInfo", hasNextPage: next !== null, endCursor: next },
      },
    },
  };
}

/** The answer to `Export`, with a link to its file or none. */
export function one(each: Each | null, downloadUrl: string | null = null): ApolloLink.Result {
  return { data: { export: each && { ...told(each), downloadUrl } } };
}

/** An event of `ExportProgress`. */
export function event(each: Each): ApolloLink.Result {
  return { data: { exportProgress: { ...told(each), downloadUrl: null } } };
}

/** The answer to a mutation: what became of an export, or why nothing did. */
export function outcome(field: string, each: Each | null, ...errors: object[]): ApolloLink.Result {
  const payload = { export: each && told(each), errors };
  return { data: { [field]: { __typename: `${field}Payload`, ...payload } } };
}

function told(each: Each): object {
  return {
    __typename: "Export",
    ...each,
    progress: { __typename: "ExportProgress", ...each.progress },
    sources: each.sources.map((source) => ({
      __typename: "ExportSource",
      ...source,
      provider: source.provider && { __typename: "Provider", ...source.provider },
    })),
  };
}
