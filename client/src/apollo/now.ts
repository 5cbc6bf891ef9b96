/** The context of a query that needs the answer of now: no cache on the way may stand in for it. */
export const NOW = { fetchOptions: { cache: "no-cache" } } as const;
