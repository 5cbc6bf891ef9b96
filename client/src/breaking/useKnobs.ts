import { useRef, useState } from "react";

import { healAll, type Knob, type Knobs, KnobsError, readKnobs, turnKnob } from "./knobs";

/** What the shops do, and the ways to change it. */
export interface TurnableKnobs {
  /** What they do now, or will in a moment; null: not known yet. */
  knobs: Knobs | null;
  /** Why the last wish did not come true; null: it did. */
  fault: string | null;
  read: () => void;
  turn: (shop: string, knob: Knob) => void;
  heal: () => void;
}

/** Read and turn the knobs at `url`; `onTurned` is called once a shop does something else. */
export function useKnobs(url: string, onTurned: () => void): TurnableKnobs {
  const [told, setTold] = useState<Knobs | null>(null);
  const [wished, setWished] = useState<Knobs | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const inLine = useRef<Promise<void>>(Promise.resolve());
  const latest = useRef(0);

  // One after the other: who goes through a list by its arrow keys wants the last one to hold.
  function send(wish: () => Promise<Knobs>, after?: () => void): void {
    const number = ++latest.current;
    inLine.current = inLine.current.then(async () => {
      let failure: string | null = null;
      try {
        setTold(await wish());
        after?.();
      } catch (error) {
        if (!(error instanceof KnobsError)) throw error;
        failure = error.message;
      }
      if (number !== latest.current) return;
      setWished(null);
      setFault(failure);
    });
  }

  return {
    knobs: wished ?? told,
    fault,
    read: () => {
      send(() => readKnobs(url));
    },
    turn: (shop, knob) => {
      setWished(told && withKnob(wished ?? told, shop, knob));
      send(() => turnKnob(url, shop, knob), onTurned);
    },
    heal: () => {
      send(() => healAll(url), onTurned);
    },
  };
}

function withKnob(knobs: Knobs, id: string, knob: Knob): Knobs {
  return {
    ...knobs,
    shops: knobs.shops.map((shop) => (shop.id === id ? { ...shop, ...knob } : shop)),
  };
}
