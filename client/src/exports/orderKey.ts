const BYTES = 16;

/**
 * A key by which the server knows all tries of one order.
 *
 * Browsers make UUIDs only on pages that came over https or from this machine.
 */
export function newOrderKey(): string {
  if (globalThis.isSecureContext) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
