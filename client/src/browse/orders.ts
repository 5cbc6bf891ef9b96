import type { MovieOrderField, OrderDirection } from "../graphql/generated";

/** An order that people can choose. */
export interface Order {
  name: string;
  field: MovieOrderField;
  direction: OrderDirection;
}

/** By title first: it needs no prices, so it never waits for a shop. */
export const DEFAULT_ORDER: Order = { name: "Title", field: "TITLE", direction: "ASC" };

export const ORDERS: readonly Order[] = [
  DEFAULT_ORDER,
  { name: "Year, newest first", field: "YEAR", direction: "DESC" },
  { name: "Year, oldest first", field: "YEAR", direction: "ASC" },
  { name: "Price, lowest first", field: "PRICE", direction: "ASC" },
  { name: "Price, highest first", field: "PRICE", direction: "DESC" },
];

/** The order of a name; the default for a name that there is not. */
export function orderOf(name: string): Order {
  return ORDERS.find((order) => order.name === name) ?? DEFAULT_ORDER;
}
