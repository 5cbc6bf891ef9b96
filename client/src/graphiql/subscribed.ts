import type { FetcherParams, Observable } from "@graphiql/toolkit";
import { createClient, type ExecutionResult } from "graphql-ws";

import { socketUrl } from "../apollo/socketUrl";

/**
 * The events of a subscription, over a socket of its own with `parameters` in its greeting.
 *
 * The toolkit could do this, but throws every refusal a second time, where nobody catches it.
 */
export function subscribed(
  params: FetcherParams,
  parameters: Record<string, unknown>,
): Observable<ExecutionResult> {
  const subscribe = (to: Listener) => {
    const client = createClient({
      url: socketUrl(),
      connectionParams: parameters,
      retryAttempts: 0, // who looks at the result sees what happened, and runs it again
    });
    const unsubscribe = client.subscribe(params, {
      next: (result) => {
        to.next(result as ExecutionResult); // its errors are as they came, in JSON
      },
      error: (error) => {
        to.error(told(error));
      },
      complete: () => {
        to.complete();
      },
    });
    return { unsubscribe };
  };
  return { subscribe } as Observable<ExecutionResult>; // GraphiQL calls it in this one way
}

interface Listener {
  next: (result: ExecutionResult) => void;
  error: (error: unknown) => void;
  complete: () => void;
}

/** GraphQL errors as they are; of a socket that closed, why. */
function told(error: unknown): unknown {
  if (Array.isArray(error)) return error;
  const { code, reason } = (error ?? {}) as { code?: number; reason?: string };
  const why = [code, reason].filter(Boolean).join(" ");
  return { message: `The connection closed (${why || "no reason given"}). Run it again.` };
}
