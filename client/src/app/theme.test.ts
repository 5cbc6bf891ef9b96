// @vitest-environment node
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

const [light = "", dark = ""] = readFileSync(new URL("theme.css", import.meta.url), "utf8")
  .split("@media (prefers-color-scheme: dark)");

const TEXT = 4.5; // WCAG 2.2, 1.4.3
const EDGE = 3; // WCAG 2.2, 1.4.11

const PAIRS: [string, string, number][] = [
  ["text", "ground", TEXT],
  ["text", "raised", TEXT],
  ["quiet", "ground", TEXT],
  ["quiet", "raised", TEXT],
  ["quiet", "hollow", TEXT],
  ["quiet", "good-ground", TEXT],
  ["quiet", "warn-ground", TEXT],
  ["link", "raised", TEXT],
  ["link", "hollow", TEXT],
  ["link", "ground", TEXT],
  ["raised", "link", TEXT],
  ["raised", "text", TEXT],
  ["good", "raised", TEXT],
  ["good", "good-ground", TEXT],
  ["warn", "raised", TEXT],
  ["warn", "ground", TEXT],
  ["good", "ground", TEXT],
  ["warn", "warn-ground", TEXT],
  ["text", "warn-ground", TEXT],
  ["link", "warn-ground", TEXT],
  ["edge", "raised", EDGE],
  ["edge", "ground", EDGE],
];

test.each(PAIRS.flatMap((pair) => [["light", light, ...pair] as const, ["dark", dark, ...pair] as const]))(
  "in the %s theme one can read it",
  (_, css, front, back, least) => {
    const ratio = contrast(luminance(css, front), luminance(css, back));
    expect(ratio, `${front} on ${back}`).toBeGreaterThanOrEqual(least);
  },
);

function luminance(css: string, name: string): number {
  const hex = new RegExp(`--${name}: #([0-9a-f]+);`).exec(css)?.[1] ?? "";
  const full = hex.length === 3 ? hex.replace(/./g, "$&$&") : hex;
  const [red = NaN, green = NaN, blue = NaN] = [0, 2, 4].map((at) => {
    const value = parseInt(full.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}
