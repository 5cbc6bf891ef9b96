import { explorerPlugin } from "@graphiql/plugin-explorer";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";

import { operationTabs } from "./operations";
import { pageStorage } from "./storage";

// Made once, outside of the component: GraphiQL starts anew when one of them changes.
const fetcher = createGraphiQLFetcher({ url: "/graphql" });
const plugins = [HISTORY_PLUGIN, explorerPlugin()];
const tabs = operationTabs();
const storage = pageStorage(tabs);

export function Page() {
  return <GraphiQL fetcher={fetcher} plugins={plugins} defaultTabs={tabs} storage={storage} />;
}
