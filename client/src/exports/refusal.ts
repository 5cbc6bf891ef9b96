import { type ExportFailure, exportFailureWords } from "../words/exportFailure";

/** Why an order was not taken. */
export interface Refusal {
  text: string;
  /** The part of the form that it is about; null: all of it. */
  place: "since" | "until" | "providers" | null;
}

const PLACES = ["since", "until", "providers"] as const;

/** What to say of an order that the server did not take, and beside which part of the form. */
export function refusalOf(failure: ExportFailure & { path?: readonly string[] }): Refusal {
  const place = PLACES.find((each) => failure.path?.includes(each)) ?? null;
  return { text: exportFailureWords(failure), place };
}
