import { explorerPlugin } from "@graphiql/plugin-explorer";
import type { Fetcher } from "@graphiql/toolkit";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";

import { operationTabs } from "./operations";
import { SessionBar } from "./SessionBar";
import { pageStorage } from "./storage";

// Made once, outside of the component: GraphiQL starts anew when one of them changes.
const plugins = [HISTORY_PLUGIN, explorerPlugin()];
const tabs = operationTabs();
const storage = pageStorage(tabs);

/** GraphiQL, and above it who is signed in; `fetcher` may never be another one. */
export function Page({ fetcher }: { fetcher: Fetcher }) {
  return (
    <>
      <SessionBar />
      <GraphiQL
        fetcher={fetcher}
        plugins={plugins}
        defaultTabs={tabs}
        storage={storage}
        shouldPersistHeaders={false} // and no switch for it: a header may hold a token
      />
    </>
  );
}
