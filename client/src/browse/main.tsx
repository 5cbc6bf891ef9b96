import "./theme.css";

import { ApolloProvider } from "@apollo/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { makeClient } from "../apollo/client";
import { BrowsePage } from "./BrowsePage";

const container = document.getElementById("browse");
if (!container) throw new Error("index.html has no element #browse");
createRoot(container).render(
  <StrictMode>
    <ApolloProvider client={makeClient()}>
      <BrowsePage />
    </ApolloProvider>
  </StrictMode>,
);
