import type { UpsertMovieInput } from "../graphql/generated";
import { type Draft, type Field, type FieldName, FIELDS, isSame } from "./fields";
import { listOf } from "./lists";

/** The fields to write; what is left out stays as it is, null removes. */
export type Changes = Pick<UpsertMovieInput, FieldName>;

/** What has to be written so that an entry which has `before` has `now`. */
export function changesOf(before: Draft, now: Draft): Changes {
  return Object.fromEntries(
    FIELDS.filter((field) => !isSame(field, before[field.name], now[field.name])).map((field) => [
      field.name,
      valueOf(field, now[field.name]),
    ]),
  );
}

/** Whether there is anything to write. */
export function isUnchanged(before: Draft, now: Draft): boolean {
  return Object.keys(changesOf(before, now)).length === 0;
}

function valueOf({ kind }: Field, text: string): string | string[] | number | null {
  if (text.trim() === "") return null;
  if (kind === "number") return Number(text);
  if (kind !== "list") return text.trim();
  const elements = listOf(text);
  return elements.length > 0 ? elements : null;
}
