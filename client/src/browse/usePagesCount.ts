import { useState } from "react";

/**
 * How many pages of a list are shown; one, when `scope` names another question than before.
 *
 * It is kept with the entry in the browser's history: who comes back finds what was scrolled to.
 */
export function usePagesCount(scope: string): [number, (count: number) => void] {
  const [pages, setPages] = useState(() => ({ scope, count: rememberedCount() }));
  return [
    pages.scope === scope ? pages.count : 1,
    (count) => {
      setPages({ scope, count });
      window.history.replaceState({ pages: count }, "");
    },
  ];
}

function rememberedCount(): number {
  const state = window.history.state as { pages?: unknown } | null;
  return typeof state?.pages === "number" ? state.pages : 1;
}
