import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ENDED, SessionStore } from "./store";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

const session = (endsAtMs: number | null) => ({ name: "ada", token: "t", endsAtMs });

test("a session ends with its token, and says so", () => {
  const store = new SessionStore();
  store.signIn(session(1_060_000));
  vi.advanceTimersByTime(59_999);
  expect(store.state.session?.name).toBe("ada");
  vi.advanceTimersByTime(1);
  expect(store.state).toEqual({ session: null, reason: ENDED });
});

test("signing out shows no message", () => {
  const store = new SessionStore();
  store.signIn(session(null));
  store.signOut();
  expect(store.state).toEqual({ session: null, reason: null });
});

test("an end of the session before this one does not end this one", () => {
  const store = new SessionStore();
  store.signIn(session(1_010_000));
  store.signIn(session(1_090_000));
  vi.advanceTimersByTime(20_000);
  expect(store.state.session).not.toBeNull();
});

test("where nobody is signed in nothing ends", () => {
  const store = new SessionStore();
  store.end("refused");
  expect(store.state.reason).toBeNull();
});

test("changes are sent to current listeners only", () => {
  const store = new SessionStore();
  const told = vi.fn();
  const stop = store.subscribe(told);
  store.signIn(session(null));
  stop();
  store.signOut();
  expect(told).toHaveBeenCalledTimes(1);
});
