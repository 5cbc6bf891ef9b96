import { makeTabs, type Tab } from "./tabs";

/** The operations checked in under `schema/operations`, as tabs of GraphiQL. */
export function operationTabs(): Tab[] {
  const documents = import.meta.glob<string>("../../../schema/operations/*.graphql", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const variables = import.meta.glob<string>("../../../schema/operations/*.variables.json", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  return makeTabs(documents, variables);
}
