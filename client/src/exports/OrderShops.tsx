import { useId } from "react";

import { Fault } from "./Fault";
import type { Order } from "./order";
import styles from "./OrderForm.module.css";
import type { Refusal } from "./refusal";

interface Props {
  /** Those that sell. */
  shops: readonly { id: string; name: string }[];
  order: Order;
  refusal: Refusal | null;
  onChange: (part: Partial<Order>) => void;
}

/** Which shops an export is to be of. */
export function OrderShops({ shops, order, refusal, onChange }: Props) {
  const fault = useId();
  const isRefused = refusal?.place === "providers";
  return (
    <fieldset className={styles.group} aria-describedby={isRefused ? fault : undefined}>
      <legend className={styles.legend}>Shops</legend>
      {shops.map(({ id, name }) => (
        <label key={id} className={styles.choice}>
          <input
            type="checkbox"
            checked={!order.leftOut.includes(id)}
            onChange={(event) => {
              const others = order.leftOut.filter((each) => each !== id);
              onChange({ leftOut: event.target.checked ? others : [...others, id] });
            }}
          />
          {name}
        </label>
      ))}
      <Fault id={fault} text={isRefused ? refusal.text : null} />
    </fieldset>
  );
}
