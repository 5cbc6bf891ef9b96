// First: it tells Monaco where its workers are, before anything can load Monaco.
import "graphiql/setup-workers/vite";

import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { FeaturesProvider, FeatureStore } from "../app/features";
import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";
import { makeFetcher } from "./fetcher";
import { Page } from "./Page";

const container = document.getElementById("graphiql");
if (!container) throw new Error("graphiql.html has no element #graphiql");
const session = new SessionStore();
createRoot(container).render(
  <StrictMode>
    <FeaturesProvider store={new FeatureStore()}>
      <SessionProvider store={session}>
        <Page fetcher={makeFetcher(session)} />
      </SessionProvider>
    </FeaturesProvider>
  </StrictMode>,
);
