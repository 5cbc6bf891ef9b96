import { useEffect, useState } from "react";

/** What the page that led here wanted to be told on arrival; empty: nothing. */
export function useTold(): string {
  const [told] = useState(() => {
    const state = window.history.state as { told?: unknown } | null;
    return typeof state?.told === "string" ? state.told : "";
  });
  useEffect(() => {
    // Once: who reloads the page or comes back to it has not done it again.
    if (told) window.history.replaceState(null, "");
  }, [told]);
  return told;
}
