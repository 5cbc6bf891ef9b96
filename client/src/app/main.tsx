import "./theme.css";

import { ApolloProvider } from "@apollo/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { makeClient } from "../apollo/client";
import { SessionStore } from "../session/store";
import { SessionProvider } from "../session/useSession";
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
          <App />
        </ApolloProvider>
      </SessionProvider>
    </FeaturesProvider>
  </StrictMode>,
);
