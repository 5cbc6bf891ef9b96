/**
 * Put ids in the order they had: what is known stays in its place, what is new comes after it.
 *
 * While somebody points at a list, nothing may move away from under the pointer.
 */
export function heldOrder(before: readonly string[], now: readonly string[]): string[] {
  const there = new Set(now);
  const kept = before.filter((id) => there.has(id));
  const known = new Set(kept);
  return [...kept, ...now.filter((id) => !known.has(id))];
}
