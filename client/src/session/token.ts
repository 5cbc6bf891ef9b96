import type { Session } from "./store";

/**
 * The session of a token that a person has from elsewhere.
 *
 * The claims are for display alone: the server decides whether the token is valid.
 */
export function sessionOfToken(text: string): Session {
  const token = text.trim().replace(/^Bearer\s+/i, "");
  const claims = claimsOf(token);
  return {
    token,
    name: typeof claims.sub === "string" ? claims.sub : null,
    endsAtMs: typeof claims.exp === "number" ? claims.exp * 1_000 : null,
  };
}

function claimsOf(token: string): Partial<Record<string, unknown>> {
  const [, middle = ""] = token.split(".");
  try {
    const bytes = Uint8Array.from(atob(middle.replace(/-/g, "+").replace(/_/g, "/")), (each) =>
      each.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
