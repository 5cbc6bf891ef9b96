// First: it tells Monaco where its workers are, before anything can load Monaco.
import "graphiql/setup-workers/vite";

import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Page } from "./Page";

const container = document.getElementById("graphiql");
if (!container) throw new Error("graphiql.html has no element #graphiql");
createRoot(container).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
