/** `1 Mar 2026, 12:00`, in the browser's time zone unless another is given. */
export function momentWords(at: string, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(at));
}

/** What the browser's time zone is called: `Europe/Zurich`. */
export function zoneName(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
