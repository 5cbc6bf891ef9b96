import { useEffect, useState } from "react";

/** The message that the page before has left in the history; empty: none. */
export function useTold(): string {
  const [told] = useState(() => {
    const state = window.history.state as { told?: unknown } | null;
    return typeof state?.told === "string" ? state.told : "";
  });
  useEffect(() => {
    // Once: a reload or a return to the page must not repeat it.
    if (told) window.history.replaceState(null, "");
  }, [told]);
  return told;
}
