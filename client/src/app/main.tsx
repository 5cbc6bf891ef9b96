import "./theme.css";

import { ApolloProvider } from "@apollo/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";

import { makeClient } from "../apollo/client";
import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";
import { partsOf, usePath, useQueryString } from "./address";
import { App } from "./App";
import { FeaturesProvider, FeatureStore } from "./features";

const container = document.getElementById("app");
if (!container) throw new Error("index.html has no element #app");
const session = new SessionStore();
createRoot(container).render(
  <StrictMode>
    <FeaturesProvider store={new FeatureStore()}>
      <SessionProvider store={session}>
        <ApolloProvider client={makeClient(session)}>
          <Router hook={usePath} searchHook={useQueryString} parser={partsOf}>
            <App />
          </Router>
        </ApolloProvider>
      </SessionProvider>
    </FeaturesProvider>
  </StrictMode>,
);
