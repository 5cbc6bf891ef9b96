import { sessionOfToken } from "./token";
import type { Session } from "./store";

/** Why nobody was signed in, in words for the person who tried. */
export class LogInError extends Error {}

const WHY: Partial<Record<number, string>> = {
  401: "Wrong name or password.",
  404: "This server has no names and passwords of its own: use a token of your identity provider.",
};

/** Ask the server for a token. Throws LogInError. */
export async function logIn(username: string, password: string): Promise<Session> {
  let response: Response;
  try {
    response = await fetch("/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username, password }),
    });
  } catch (error) {
    throw new LogInError("movieql does not answer. Try again in a moment.", { cause: error });
  }
  if (!response.ok) throw new LogInError(whyNot(response));
  return { ...sessionOfToken(tokenOf(await response.json())), name: username };
}

function whyNot(response: Response): string {
  if (response.status === 429) {
    const seconds = response.headers.get("retry-after") ?? "60";
    return `Too many tries. Try again in ${seconds} s.`;
  }
  return WHY[response.status] ?? "movieql could not sign you in. Try again in a moment.";
}

function tokenOf(body: unknown): string {
  const token = (body as Partial<Record<string, unknown>> | null)?.access_token;
  if (typeof token !== "string") throw new LogInError("movieql answered something unreadable.");
  return token;
}
