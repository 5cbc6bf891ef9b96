/** Somebody who is signed in. */
export interface Session {
  /** What the person is called; null when the token does not say. */
  name: string | null;
  token: string;
  /** When the token ends; null when it does not say. */
  endsAtMs: number | null;
}

/** Who is signed in, and why nobody is any more. */
export interface SessionState {
  session: Session | null;
  /** The message after the server or the clock ended the session; null: none. */
  reason: string | null;
}

const NOBODY: SessionState = { session: null, reason: null };

/** The message when the token has expired. */
export const ENDED = "Your sign-in has ended. Sign in again to go on.";

/**
 * The session of a page, in its memory alone: a reload forgets the token, and no other page or
 * later visitor of this browser can find it.
 */
export class SessionStore {
  #state = NOBODY;
  #end: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  /** What is so now; the same object until something changes. */
  get state(): SessionState {
    return this.#state;
  }

  signIn(session: Session, nowMs = Date.now()): void {
    this.#set({ session, reason: null });
    if (session.endsAtMs === null) return;
    this.#end = setTimeout(() => {
      this.end(ENDED);
    }, Math.max(session.endsAtMs - nowMs, 0));
  }

  signOut(): void {
    this.#set(NOBODY);
  }

  /** Sign out without being asked to; does nothing when nobody is signed in. */
  end(reason: string): void {
    if (this.#state.session) this.#set({ session: null, reason });
  }

  /** Call `listener` at each change until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  #set(state: SessionState): void {
    clearTimeout(this.#end);
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
