import { createContext, type ReactNode, use, useSyncExternalStore } from "react";

import { type SessionState, SessionStore } from "./store";

const SessionContext = createContext<SessionStore | null>(null);

/** Gives the session to everything within. */
export function SessionProvider({ store, children }: { store: SessionStore; children: ReactNode }) {
  return <SessionContext value={store}>{children}</SessionContext>;
}

/** Where a session is begun and ended. */
export function useSessionStore(): SessionStore {
  const store = use(SessionContext);
  if (!store) throw new Error("useSessionStore outside of SessionProvider");
  return store;
}

/** Who is signed in. */
export function useSession(): SessionState {
  const store = useSessionStore();
  return useSyncExternalStore(store.subscribe, () => store.state);
}
