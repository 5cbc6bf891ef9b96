import { type Draft, draftFrom, type Field, FIELDS, isSame } from "./fields";

/** Whose text of a field is kept. */
export type Side = "mine" | "theirs";

/** A field in which what I have and what they have saved is not the same. */
export interface Difference {
  field: Field;
  /** What it was when both began. */
  before: string;
  mine: string;
  theirs: string;
  /** Who made it another text than it was. */
  changedBy: "me" | "them" | "both";
}

/** Whose text of each field is kept, as far as that is chosen. */
export type Choices = Readonly<Partial<Record<Field["name"], Side>>>;

/** Compare what I have with what they have saved; both began with `before`. */
export function differencesOf(before: Draft, mine: Draft, theirs: Draft): Difference[] {
  return FIELDS.filter((field) => !isSame(field, mine[field.name], theirs[field.name])).map(
    (field) => {
      const texts = {
        before: before[field.name],
        mine: mine[field.name],
        theirs: theirs[field.name],
      };
      return { field, ...texts, changedBy: changerOf(field, texts) };
    },
  );
}

/** What needs no person to choose: the text of the one who changed it, where only one did. */
export function presetOf(differences: readonly Difference[]): Choices {
  return Object.fromEntries(
    differences
      .filter(({ changedBy }) => changedBy !== "both")
      .map(({ field, changedBy }) => [field.name, changedBy === "me" ? "mine" : "theirs"]),
  );
}

/** The fields for which somebody has to choose yet. */
export function unchosen(differences: readonly Difference[], choices: Choices): Difference[] {
  return differences.filter(({ field }) => choices[field.name] === undefined);
}

/** What is to be saved: mine where that was chosen, and theirs everywhere else. */
export function mergedOf(mine: Draft, theirs: Draft, choices: Choices): Draft {
  return draftFrom((name) => (choices[name] === "mine" ? mine : theirs)[name]);
}

function changerOf(
  field: Field,
  { before, mine, theirs }: Record<"before" | Side, string>,
): Difference["changedBy"] {
  if (isSame(field, before, mine)) return "them";
  return isSame(field, before, theirs) ? "me" : "both";
}
