import { useState } from "react";

import { heldOrder } from "./heldOrder";

/**
 * The movies in the order to show them: the new one, or the one they had while `isHeld`.
 *
 * `scope` names the question: with another one, every order is new.
 */
export function useHeldOrder<T extends { id: string }>(
  movies: readonly T[],
  isHeld: boolean,
  scope: string,
): T[] {
  const [shown, setShown] = useState<{ scope: string; ids: string[] }>({ scope, ids: [] });
  const now = movies.map((movie) => movie.id);
  const ids = isHeld && shown.scope === scope ? heldOrder(shown.ids, now) : now;
  if (shown.scope !== scope || shown.ids.join("\n") !== ids.join("\n")) setShown({ scope, ids });
  const byId = new Map(movies.map((movie) => [movie.id, movie]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
