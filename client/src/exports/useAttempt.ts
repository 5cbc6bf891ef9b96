import { useState } from "react";

/** What there is to tell of something that was tried. */
export interface Told {
  text: string;
  isFault: boolean;
}

/** Something that a person can try by pressing a button, again and again. */
export interface Attempt {
  isBusy: boolean;
  told: Told | null;
  /** Try it, unless it is being tried already. What it throws is told as a fault. */
  run: (action: () => Promise<Told | null>, wordsOf: (error: unknown) => string) => void;
}

/** Tells how the latest try of something ended. */
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
