import { CombinedGraphQLErrors, type ErrorLike } from "@apollo/client";

/** Why movieql gave no answer, and whether asking again may help. */
export interface Trouble {
  text: string;
  isPassing: boolean;
}

/** Codes of errors that pass by themselves: too many requests, or a part of the server is down. */
const PASSING: readonly unknown[] = ["RATE_LIMITED", "UNAVAILABLE", "INTERNAL"];

/** What to say of an error that came instead of an answer; null: there is none. */
export function troubleOf(error: ErrorLike | undefined): Trouble | null {
  if (!error) return null;
  if (!CombinedGraphQLErrors.is(error)) {
    return { text: "movieql does not answer.", isPassing: true };
  }
  const isPassing = error.errors.some(({ extensions }) => PASSING.includes(extensions?.code));
  return { text: error.message, isPassing };
}
