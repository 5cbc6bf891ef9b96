import { CombinedGraphQLErrors } from "@apollo/client";

/** An expected failure of a mutation about exports, of whatever type. */
export interface ExportFailure {
  __typename: string;
  message: string;
  retryable?: boolean;
  mayHaveHappened?: boolean;
}

const UNSURE = "Nobody knows whether it was done. Press again: nothing is done twice.";

/** Why nothing was done, and what to do about it. */
export function exportFailureWords(failure: ExportFailure): string {
  const { message } = failure;
  switch (failure.__typename) {
    case "QuotaExceeded":
      return `${message} Wait until one has ended, or cancel one.`;
    case "IdempotencyConflict":
      return "This was ordered before, with other settings. Nothing new was ordered: press again to do so.";
    case "ExportsUnavailable":
      return `${message} ${unavailableWords(failure)}`;
    case "NotFound":
      return `${message} Reload the page to see those that there are.`;
    default:
      return message;
  }
}

/** The same of an error that came instead of an answer to something that changes exports. */
export function changeErrorWords(error: unknown): string {
  if (!CombinedGraphQLErrors.is(error)) {
    return "movieql does not answer. This may have arrived or not. Press again: nothing is done twice.";
  }
  return refusalWords(error) ?? `${error.message} ${UNSURE}`;
}

/** The same of an error that came instead of an answer to a question about exports. */
export function readErrorWords(error: unknown): string {
  if (!CombinedGraphQLErrors.is(error)) return "movieql does not answer. Try again in a moment.";
  return refusalWords(error) ?? `${error.message} Try again in a moment.`;
}

function unavailableWords({ retryable, mayHaveHappened }: ExportFailure): string {
  if (retryable === false) return "Trying again does not help.";
  return mayHaveHappened ? UNSURE : "Nothing was done: try again in a moment.";
}

/** Errors with which nothing was done, as it is certain; null for any other. */
function refusalWords(error: CombinedGraphQLErrors): string | null {
  switch (error.errors[0]?.extensions?.code) {
    case "FORBIDDEN":
      return `${error.message} Sign out, and in again with such a token.`;
    case "RATE_LIMITED":
    case "UNAUTHENTICATED":
    case "BAD_USER_INPUT":
    case "GRAPHQL_VALIDATION_FAILED":
      return `${error.message} Nothing was done.`;
    default:
      return null;
  }
}
