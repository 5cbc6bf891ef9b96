/** What a shop does, and with which of its calls. */
export interface Knob {
  mode: string;
  endpoint: string;
}

/** A simulated shop, and what it does now. */
export interface Shop extends Knob {
  id: string;
  name: string;
}

/** What a shop can be made to do, in words that follow its name. */
export interface Mode {
  mode: string;
  words: string;
  /** Whether people try it before the others. */
  common: boolean;
  /** Which calls it can be for. */
  endpoints: readonly string[];
}

/** Which calls a knob can be for, in words that follow those of its mode. */
export interface Endpoint {
  endpoint: string;
  words: string;
}

/** What all shops do, and what they could do. */
export interface Knobs {
  shops: readonly Shop[];
  modes: readonly Mode[];
  endpoints: readonly Endpoint[];
}

/** Why a knob was not turned or read, in words for the person who tried. */
export class KnobsError extends Error {}

/** What the shops do. Throws KnobsError, as all of these do. */
export async function readKnobs(url: string): Promise<Knobs> {
  return answerOf(url, {});
}

/** Let a shop do something else from now on. */
export async function turnKnob(url: string, shop: string, knob: Knob): Promise<Knobs> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(knob);
  return answerOf(`${url}/${encodeURIComponent(shop)}`, { method: "PUT", headers, body });
}

/** Let all shops be well. */
export async function healAll(url: string): Promise<Knobs> {
  return answerOf(url, { method: "DELETE" });
}

const ANSWER_MS = 10_000; // closing a shop's port takes the longest: a fifth of a second

async function answerOf(url: string, request: RequestInit): Promise<Knobs> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_MS) });
    if (response.ok) return (await response.json()) as Knobs;
    throw new KnobsError(await refusalOf(response));
  } catch (error) {
    if (error instanceof KnobsError) throw error;
    throw new KnobsError("movieql does not answer. Try again in a moment.", { cause: error });
  }
}

async function refusalOf(response: Response): Promise<string> {
  const told = (await response.json().catch(() => null)) as { error?: unknown } | null;
  const why = typeof told?.error === "string" ? told.error : `status ${response.status.toString()}`;
  return `movieql refused: ${why}. Open this panel anew to see what there is.`;
}
