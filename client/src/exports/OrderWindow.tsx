import { useId } from "react";

import { zoneName } from "../words/moment";
import { Fault } from "./Fault";
import type { Order } from "./order";
import styles from "./OrderForm.module.css";
import type { Refusal } from "./refusal";

interface Props {
  order: Order;
  refusal: Refusal | null;
  onChange: (part: Partial<Order>) => void;
}

/** Which window of time an export is to be of. */
export function OrderWindow({ order, refusal, onChange }: Props) {
  const name = useId();
  const choice = (isOfLastDay: boolean) => ({
    type: "radio",
    name,
    checked: order.isOfLastDay === isOfLastDay,
    onChange: () => {
      onChange({ isOfLastDay });
    },
  });
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>Window</legend>
      <label className={styles.choice}>
        <input {...choice(true)} />
        The last 24 hours
      </label>
      <label className={styles.choice}>
        <input {...choice(false)} />
        Another window
      </label>
      {!order.isOfLastDay && (
        <>
          <Time name="since" label="From" {...{ order, refusal, onChange }} />
          <Time name="until" label="To" {...{ order, refusal, onChange }} />
          <p className={styles.note}>
            In your time zone, {zoneName()}. The end itself is not in the window.
          </p>
        </>
      )}
    </fieldset>
  );
}

function Time({ name, label, order, refusal, onChange }: Props & TimeProps) {
  const fault = useId();
  const isRefused = refusal?.place === name;
  return (
    <>
      <label className={styles.time}>
        {label}
        <input
          type="datetime-local"
          className="field"
          value={order[name]}
          required
          aria-invalid={isRefused}
          aria-describedby={isRefused ? fault : undefined}
          onChange={(event) => {
            onChange({ [name]: event.target.value });
          }}
        />
      </label>
      <Fault id={fault} text={isRefused ? refusal.text : null} />
    </>
  );
}

interface TimeProps {
  name: "since" | "until";
  label: string;
}
