import type { Refusal } from "../words/refusal";
import type { Draft } from "./fields";

/** What an entry is found by, as it stands in the form. */
export interface Identity {
  name: string;
  year: string;
}

/** What cannot be sent because it is no number; everything else is for the server to judge. */
export function unreadable({ year }: Identity, { runtimeMinutes }: Draft): Refusal | null {
  if (!/^\d{1,4}$/.test(year.trim())) return at("year", "A year is a number, such as 1995.");
  if (!/^\d{0,5}$/.test(runtimeMinutes.trim())) {
    return at("runtimeMinutes", "Minutes are a whole number, such as 170.");
  }
  return null;
}

function at(field: string, text: string): Refusal {
  return { text, field, isUncertain: false };
}
