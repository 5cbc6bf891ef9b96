import { createContext, type ReactNode, use, useSyncExternalStore } from "react";

/** What may be offered here; the server says it. */
export interface Features {
  /** Whether names and passwords are known, and not tokens alone. */
  login: boolean;
  /** Where simulated shops can be broken; null: the shops are real. */
  knobs: string | null;
}

/** The defaults until the server has answered. */
export const DEFAULTS: Features = { login: true, knobs: null };

const ADDRESS = "/client.json";

/** What the server offers: asked once, when somebody first wants to know. */
export class FeatureStore {
  #features = DEFAULTS;
  #isAsked = false;
  readonly #listeners = new Set<() => void>();

  /** What is known now. */
  get state(): Features {
    return this.#features;
  }

  /** Call `listener` when more is known, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#isAsked) {
      this.#isAsked = true;
      void this.#ask();
    }
    return () => {
      this.#listeners.delete(listener);
    };
  };

  async #ask(): Promise<void> {
    try {
      const response = await fetch(ADDRESS);
      if (!response.ok) return;
      this.#features = featuresOf(await response.json());
    } catch {
      return; // the page does without
    }
    for (const listener of this.#listeners) listener();
  }
}

function featuresOf(told: unknown): Features {
  const { login, knobs } = (told ?? {}) as Partial<Record<string, unknown>>;
  return {
    login: typeof login === "boolean" ? login : DEFAULTS.login,
    knobs: typeof knobs === "string" ? knobs : DEFAULTS.knobs,
  };
}

const NOTHING_SAID = { state: DEFAULTS, subscribe: () => () => undefined };

const FeaturesContext = createContext<Pick<FeatureStore, "state" | "subscribe">>(NOTHING_SAID);

/** Lets everything within know what may be offered. */
export function FeaturesProvider({ store, children }: { store: FeatureStore; children: ReactNode }) {
  return <FeaturesContext value={store}>{children}</FeaturesContext>;
}

/** What may be offered; the defaults outside of FeaturesProvider. */
export function useFeatures(): Features {
  const store = use(FeaturesContext);
  return useSyncExternalStore(store.subscribe, () => store.state);
}
