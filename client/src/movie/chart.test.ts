import { expect, test } from "vitest";

import { aPricePoint, NOW_MS } from "../words/builders";
import { chartOf } from "./chart";

const FRAME = { width: 100, height: 50, left: 0, right: 0, top: 0, bottom: 0 };

test("nothing seen is nothing drawn", () => {
  expect(chartOf([], NOW_MS, FRAME)).toBeNull();
});

test("a price holds until the next one and the last one until now", () => {
  const chart = chartOf([aPricePoint("filmworld", "20", 10), aPricePoint("filmworld", "10", 5)], NOW_MS, FRAME);
  expect(chart?.lines).toEqual([
    { key: "filmworld filmworld-1", shop: "filmworld", path: "M0 0H50V50H100", end: { x: 100, y: 50 } },
  ]);
});

test("each offer has a line of its own, on one scale", () => {
  const points = [aPricePoint("cinemaworld", "30", 10), aPricePoint("filmworld", "10", 10)];
  const chart = chartOf(points, NOW_MS, FRAME);
  expect(chart?.lines.map(({ path }) => path)).toEqual(["M0 0H100", "M0 50H100"]);
  expect(chart?.lowest).toEqual({ point: points[1], y: 50 });
  expect(chart?.highest).toEqual({ point: points[0], y: 0 });
});

test("one price alone lies in the middle", () => {
  expect(chartOf([aPricePoint("filmworld", "10", 2)], NOW_MS, FRAME)?.lines[0]?.path).toBe("M0 25H100");
});

test("points in any order make the same drawing", () => {
  const points = [5, 9, 1, 7].map((hours) => aPricePoint("filmworld", hours.toString(), hours));
  expect(chartOf([...points].reverse(), NOW_MS, FRAME)).toEqual(chartOf(points, NOW_MS, FRAME));
});

test("a price of this very moment can be drawn", () => {
  const path = chartOf([aPricePoint("filmworld", "10", 0)], NOW_MS, FRAME)?.lines[0]?.path;
  expect(path).not.toContain("NaN");
});
