import { ApolloLink } from "@apollo/client";
import { defer, switchMap } from "rxjs";

import type { SessionStore } from "../session/store";

/** Subscriptions over one WebSocket, which is opened, with all its code, by the first of them. */
export function subscriptions(session: SessionStore): ApolloLink {
  let socket: Promise<ApolloLink> | undefined;
  const load = async (): Promise<ApolloLink> => {
    try {
      const { socketLink } = await import("./socket");
      return socketLink(session);
    } catch (error) {
      socket = undefined; // the next subscription tries again
      throw error;
    }
  };
  return new ApolloLink((operation, forward) =>
    defer(() => (socket ??= load())).pipe(switchMap((link) => link.request(operation, forward))),
  );
}
