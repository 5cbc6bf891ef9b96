import { useMutation } from "@apollo/client/react";
import { useState } from "react";

import { OWN } from "../apollo/session";
import { RequestExportDocument } from "../graphql/generated";
import { changeErrorWords } from "../words/exportFailure";
import { PLACED, putOnTop } from "./listed";
import { emptyOrder, inputOf, type Order } from "./order";
import { newOrderKey } from "./orderKey";
import { type Refusal, refusalOf } from "./refusal";

/** An order that is being filled in, and what became of it. */
export interface Ordering {
  order: Order;
  change: (part: Partial<Order>) => void;
  send: () => void;
  isBusy: boolean;
  refusal: Refusal | null;
  /** Whether the latest try was taken, and nothing was changed since. */
  isOrdered: boolean;
}

/**
 * Fill in orders and send them. `selling`: ids of the shops that there are.
 *
 * All tries of one order have one key, so that one whose answer was lost does nothing twice; what
 * is changed, and what comes after an order that was taken, is another order.
 */
export function useOrder(selling: readonly string[]): Ordering {
  const [order, setOrder] = useState(() => emptyOrder(Date.now()));
  const [key, setKey] = useState(newOrderKey);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isOrdered, setOrdered] = useState(false);
  const [request, { loading: isBusy }] = useMutation(RequestExportDocument, {
    context: OWN,
    ...PLACED,
    update: (cache, { data }) => {
      putOnTop(cache, data?.requestExport?.export);
    },
  });

  async function sent(): Promise<Refusal | null> {
    const { data } = await request({ variables: { input: inputOf(order, selling, key) } });
    const [failure] = data?.requestExport?.errors ?? [];
    // Such a key is of another order for good.
    if (!failure || failure.__typename === "IdempotencyConflict") setKey(newOrderKey());
    return failure ? refusalOf(failure) : null;
  }

  async function tell(): Promise<void> {
    setRefusal(null);
    setOrdered(false);
    try {
      const refused = await sent();
      setRefusal(refused);
      setOrdered(refused === null);
    } catch (error) {
      setRefusal({ text: changeErrorWords(error), place: null });
    }
  }

  return {
    order,
    change: (part) => {
      setOrder({ ...order, ...part });
      setKey(newOrderKey());
      setRefusal(null);
      setOrdered(false);
    },
    send: () => {
      if (!isBusy) void tell();
    },
    isBusy,
    refusal,
    isOrdered,
  };
}
