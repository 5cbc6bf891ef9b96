import { useState } from "react";

/** How a try ended, in words. */
export interface Told {
  text: string;
  isFault: boolean;
}

/** Something that a person can try by pressing a button, again and again. */
export interface Attempt {
  isBusy: boolean;
  told: Told | null;
  /** Try it, unless it is being tried already. What it throws is shown as a fault. */
  run: (action: () => Promise<Told | null>, wordsOf: (error: unknown) => string) => void;
}

/** Runs tries of something, and returns how the latest one ended. */
export function useAttempt(): Attempt {
  const [isBusy, setBusy] = useState(false);
  const [told, setTold] = useState<Told | null>(null);
  return {
    isBusy,
    told,
    run: (action, wordsOf) => {
      if (isBusy) return;
      setBusy(true);
      setTold(null);
      void action()
        .catch((error: unknown) => ({ text: wordsOf(error), isFault: true }))
        .then(setTold)
        .finally(() => {
          setBusy(false);
        });
    },
  };
}
