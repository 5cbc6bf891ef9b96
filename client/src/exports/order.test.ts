import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { emptyOrder, inputOf } from "./order";

const NOW_MS = Date.parse("2026-03-01T12:34:56Z");
const SHOPS = ["cinemaworld", "filmworld"];

beforeEach(() => {
  vi.stubEnv("TZ", "Asia/Kolkata"); // half an hour beside everybody else
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test("the last 24 hours of every shop are what the server decides", () => {
  expect(inputOf(emptyOrder(NOW_MS), SHOPS, "key")).toEqual({
    gzip: false,
    idempotencyKey: "key",
  });
});

test("a window begins as the last day, in the browser's time zone", () => {
  expect(emptyOrder(NOW_MS)).toMatchObject({
    since: "2026-02-28T18:04",
    until: "2026-03-01T18:04",
  });
});

test("a chosen window is sent as the moments that it means", () => {
  const order = {
    ...emptyOrder(NOW_MS),
    isOfLastDay: false,
    since: "2026-02-01T00:00",
    until: "2026-02-02T05:30",
  };
  expect(inputOf(order, SHOPS, "key")).toMatchObject({
    since: "2026-01-31T18:30:00.000Z",
    until: "2026-02-02T00:00:00.000Z",
  });
});

test("an emptied time is left to the server", () => {
  const order = { ...emptyOrder(NOW_MS), isOfLastDay: false, since: "" };
  expect(inputOf(order, SHOPS, "key").since).toBeNull();
});

test("shops that are left out leave the others, and all of them none", () => {
  const order = { ...emptyOrder(NOW_MS), leftOut: ["filmworld"] };
  expect(inputOf(order, SHOPS, "key").providers).toEqual(["cinemaworld"]);
  expect(inputOf({ ...order, leftOut: SHOPS }, SHOPS, "key").providers).toEqual([]);
});
