import { CombinedGraphQLErrors } from "@apollo/client";

import type { DeleteMovieMutation, UpsertMovieMutation } from "../graphql/generated";

/** Why a write of the house catalogue was not made, or may not have been. */
export interface Refusal {
  text: string;
  /** The field of the form that it is about; null: it is about the whole. */
  field: string | null;
  /** Whether nobody knows if it was made: then one looks before one tries again. */
  isUncertain: boolean;
}

/** The house catalogue did not answer, so its current content is unknown. */
export class CatalogueSilentError extends Error {}

type Failed =
  | NonNullable<UpsertMovieMutation["upsertMovie"]>["errors"][number]
  | NonNullable<DeleteMovieMutation["deleteMovie"]>["errors"][number];

const UNKNOWN = "Nobody knows whether it was written: look at the entry before you try again.";
const KEPT = "What you entered is still here.";

/** What to say of a failure that the server expects. */
export function refusalWords(error: Failed): Refusal {
  const plain = { text: error.message, field: null, isUncertain: false };
  switch (error.__typename) {
    case "ValidationFailed":
      return "path" in error ? { ...plain, ...placed(error.message, error.path) } : plain;
    case "CatalogueFull":
      return { ...plain, text: `${error.message} Delete a movie to make room. ${KEPT}` };
    case "CatalogueUnavailable":
      if (error.mayHaveHappened) {
        return { ...plain, text: `The house catalogue did not answer. ${UNKNOWN}`, isUncertain: true };
      }
      return { ...plain, text: `${error.message} ${nextWords(error.retryable)} ${KEPT}` };
    default:
      return plain;
  }
}

/** What to say when a write came to no answer, or to one that is an error as a whole. */
export function failureWords(error: unknown): Refusal {
  if (!CombinedGraphQLErrors.is(error)) {
    return { text: `movieql does not answer. ${UNKNOWN}`, field: null, isUncertain: true };
  }
  const code = error.errors[0]?.extensions?.code;
  const isUncertain = code === "INTERNAL"; // it may have come after the write
  const next = isUncertain ? UNKNOWN : NEXT[String(code)];
  const text = [error.message, next, KEPT].filter(Boolean).join(" ");
  return { text, field: null, isUncertain };
}

/** What to say when the entry could not be read; `isUncertain`: it may have been written before. */
export function unreadWords(error: unknown, isUncertain: boolean): Refusal {
  const next = isUncertain
    ? "Nobody knows yet whether it was written: look again in a moment."
    : "Nothing was saved: try again in a moment.";
  return { text: `${whyUnread(error)} ${next} ${KEPT}`, field: null, isUncertain };
}

function whyUnread(error: unknown): string {
  if (error instanceof CatalogueSilentError) return "The house catalogue does not answer.";
  return CombinedGraphQLErrors.is(error) ? error.message : "movieql does not answer.";
}

const NEXT: Partial<Record<string, string>> = {
  UNAUTHENTICATED: "Nothing was saved: sign in again.",
  FORBIDDEN: "Sign out, and sign in as somebody who may.",
  RATE_LIMITED: "Nothing was saved.",
};

function nextWords(isRetryable: boolean): string {
  return isRetryable ? "Try again in a moment." : "Trying again does not help.";
}

/** `["input", "genres", "0"]`: the field, and which of its elements. */
function placed(message: string, path: readonly string[]): Pick<Refusal, "text" | "field"> {
  const [, field = null, place] = path;
  const isPlace = place !== undefined && /^\d+$/.test(place);
  return {
    field,
    text: isPlace ? `Number ${(Number(place) + 1).toString()} of the list: ${message}` : message,
  };
}
