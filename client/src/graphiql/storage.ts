import type { Storage } from "@graphiql/toolkit";

import type { Tab } from "./tabs";

// Every GraphiQL keeps its state under "graphiql:", and 127.0.0.1:8000 is shared by all
// projects of a developer: without a prefix the tabs of another project would come up here.
const PREFIX = "movieql:";
const DEFAULT_TABS = `${PREFIX}defaultTabs`;
const EDITOR_KEYS = ["tabState", "query", "variables", "headers"];
const HISTORY_KEYS = ["graphiql:queries", "graphiql:favorites"];

/**
 * Where GraphiQL keeps tabs, history and theme: in memory if the browser forbids storage.
 *
 * Tabs of an earlier visit hide the default ones, so they are dropped when the default
 * ones have changed since. What was run before is still in the history.
 */
export function pageStorage(defaultTabs: Tab[]): Storage {
  try {
    const local = window.localStorage; // throws when cookies are blocked
    const fingerprint = JSON.stringify(defaultTabs);
    if (local.getItem(DEFAULT_TABS) !== fingerprint) {
      for (const key of EDITOR_KEYS) local.removeItem(`${PREFIX}graphiql:${key}`);
      local.setItem(DEFAULT_TABS, fingerprint);
    }
    return prefixed(local);
  } catch {
    return inMemory();
  }
}

function prefixed(local: globalThis.Storage): Storage {
  const ownKeys = () => Object.keys(local).filter((key) => key.startsWith(PREFIX));
  return {
    getItem: (key) => local.getItem(PREFIX + key),
    setItem: (key, value) => {
      local.setItem(PREFIX + key, HISTORY_KEYS.includes(key) ? withoutHeaders(value) : value);
    },
    removeItem: (key) => {
      local.removeItem(PREFIX + key);
    },
    clear: () => {
      for (const key of ownKeys()) local.removeItem(key);
    },
    get length() {
      return ownKeys().length;
    },
  };
}

/** A header may hold a token, and GraphiQL keeps headers in its history whatever its settings are. */
function withoutHeaders(history: string): string {
  return JSON.stringify(JSON.parse(history), (key, value: unknown) =>
    key === "headers" ? undefined : value,
  );
}

function inMemory(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      items.set(key, value);
    },
    removeItem: (key) => {
      items.delete(key);
    },
    clear: () => {
      items.clear();
    },
    get length() {
      return items.size;
    },
  };
}
