import type { CatalogueEntryFieldsFragment } from "../graphql/generated";
import { listOf, listText } from "./lists";

/** An entry of the house catalogue, as it was last seen or written. */
export type Entry = CatalogueEntryFieldsFragment;

/** What describes a movie, besides the name and year that it is found by. */
export type FieldName = Exclude<keyof Entry, "id" | "version" | "name" | "year">;

/** A field of the form, and how people fill it. */
export interface Field {
  name: FieldName;
  label: string;
  kind: "line" | "lines" | "list" | "address" | "day" | "number";
  hint?: string;
}

const COMMAS = "With commas between them";

/** Every field, in the order of the form. */
export const FIELDS: readonly Field[] = [
  { name: "director", label: "Director", kind: "line" },
  { name: "genres", label: "Genres", kind: "list", hint: COMMAS },
  { name: "actors", label: "Actors", kind: "list", hint: COMMAS },
  { name: "writers", label: "Writers", kind: "list", hint: COMMAS },
  { name: "plot", label: "Plot", kind: "lines" },
  { name: "poster", label: "Poster", kind: "address", hint: "Address of an image, http or https" },
  { name: "released", label: "Released", kind: "day" },
  { name: "runtimeMinutes", label: "Running time", kind: "number", hint: "In minutes" },
  { name: "rated", label: "Rated", kind: "line", hint: "Such as PG-13" },
  { name: "languages", label: "Languages", kind: "list", hint: COMMAS },
  { name: "countries", label: "Countries", kind: "list", hint: COMMAS },
  { name: "awards", label: "Awards", kind: "line" },
];

/** The fields as they stand in the form, as text; empty: there is nothing in it. */
export type Draft = Readonly<Record<FieldName, string>>;

/** A form in which nothing is filled in. */
export const EMPTY: Draft = draftFrom(() => "");

/** A draft with what `textOf` gives for each field. */
export function draftFrom(textOf: (name: FieldName) => string): Draft {
  return Object.fromEntries(FIELDS.map(({ name }) => [name, textOf(name)])) as Record<
    FieldName,
    string
  >;
}

/** What an entry, or a merged movie, has in these fields, as the form shows it. */
export function draftOf(described: Pick<Entry, FieldName>): Draft {
  return draftFrom((name) => {
    const value = described[name];
    return Array.isArray(value) ? listText(value) : (value?.toString() ?? "");
  });
}

/** Whether two texts of a field are equal; blanks around them do not count. */
export function isSame({ kind }: Field, one: string, other: string): boolean {
  const said = (text: string) => (kind === "list" ? listText(listOf(text)) : text.trim());
  return said(one) === said(other);
}
