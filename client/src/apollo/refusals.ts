import { type ApolloLink, ServerError } from "@apollo/client";
import { ErrorLink } from "@apollo/client/link/error";
import type { GraphQLFormattedError } from "graphql";
import { of } from "rxjs";

/**
 * Hands on what the server says of a request that it refused.
 *
 * A token that it rejects, or too many requests, come with a status of HTTP's own; what
 * they say has GraphQL's shape all the same, and Apollo would make "not successful" of it.
 */
export function refusals(): ApolloLink {
  return new ErrorLink(({ error }) => {
    const errors = ServerError.is(error) ? errorsOf(error.bodyText) : [];
    return errors.length > 0 ? of({ data: null, errors }) : undefined;
  });
}

function errorsOf(text: string): GraphQLFormattedError[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    return Array.isArray(errors) ? (errors as GraphQLFormattedError[]) : [];
  } catch {
    return []; // whatever stands between us and the server has answered
  }
}
