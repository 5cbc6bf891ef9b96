import { useQuery } from "@apollo/client/react";
import { type SyntheticEvent, useId } from "react";

import { ProvidersDocument } from "../graphql/generated";
import { Fault } from "./Fault";
import styles from "./OrderForm.module.css";
import { OrderShops } from "./OrderShops";
import { OrderWindow } from "./OrderWindow";
import { useOrder } from "./useOrder";

/** Where an export is ordered. */
export function OrderForm() {
  const { data } = useQuery(ProvidersDocument);
  const shops = data?.providers.filter((provider) => provider.sells) ?? [];
  const { order, change, send, isBusy, refusal, isOrdered } = useOrder(shops.map(({ id }) => id));
  const heading = useId();
  const fault = useId();
  return (
    <form
      className={styles.form}
      aria-labelledby={heading}
      onSubmit={(event: SyntheticEvent) => {
        event.preventDefault();
        send();
      }}
    >
      <h2 id={heading} className={styles.heading}>
        Order an export
      </h2>
      <OrderWindow order={order} refusal={refusal} onChange={change} />
      {shops.length > 0 && (
        <OrderShops shops={shops} order={order} refusal={refusal} onChange={change} />
      )}
      <label className={styles.choice}>
        <input
          type="checkbox"
          checked={order.gzip}
          onChange={(event) => {
            change({ gzip: event.target.checked });
          }}
        />
        Compress the file (gzip)
      </label>
      <Fault id={fault} text={refusal?.place === null ? refusal.text : null} />
      <p className={styles.ordered} role="status">
        {isOrdered && "Ordered: it is on top of your exports."}
      </p>
      <button type="submit" className="button primary" disabled={isBusy}>
        {isBusy ? "Ordering…" : "Order export"}
      </button>
    </form>
  );
}
