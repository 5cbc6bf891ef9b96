import { useId, useState } from "react";

import { watchWords } from "../words/breaking";
import styles from "./BreakingPanel.module.css";
import { ShopRow } from "./ShopRow";
import { useAskAgain } from "./useAskAgain";
import { useKnobs } from "./useKnobs";

const TITLE = "Try breaking it";

/** Lets people break simulated shops; `url`: where their knobs are. Closed until it is opened. */
export function BreakingPanel({ url }: { url: string }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const { knobs, fault, read, turn, heal } = useKnobs(url, useAskAgain());
  return (
    <>
      <button
        type="button"
        className={styles.opener}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => {
          if (!isOpen) read();
          setOpen(!isOpen);
        }}
      >
        {TITLE}
      </button>
      <section id={id} className={styles.panel} aria-label={TITLE} hidden={!isOpen}>
        {knobs && (
          <ul className={styles.shops}>
            {knobs.shops.map((shop) => (
              <ShopRow
                key={shop.id}
                shop={shop}
                knobs={knobs}
                onTurn={(knob) => {
                  turn(shop.id, knob);
                }}
              />
            ))}
          </ul>
        )}
        <p className={styles.watch} aria-live="polite">
          {knobs ? watchWords(knobs.shops) : fault === null && "Asking what the shops do…"}
        </p>
        {fault !== null && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <button type="button" className="button" onClick={heal}>
          All well again
        </button>
      </section>
    </>
  );
}
