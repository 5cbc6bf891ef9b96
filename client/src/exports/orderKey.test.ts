import { afterEach, expect, test, vi } from "vitest";

import { newOrderKey } from "./orderKey";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("where UUIDs are made, the key is one", () => {
  vi.stubGlobal("isSecureContext", true);
  expect(newOrderKey()).toMatch(/^[0-9a-f]{8}-/);
  expect(newOrderKey()).not.toBe(newOrderKey());
});

test("elsewhere it is as hard to guess", () => {
  vi.stubGlobal("isSecureContext", false);
  expect(newOrderKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newOrderKey()).not.toBe(newOrderKey());
});
