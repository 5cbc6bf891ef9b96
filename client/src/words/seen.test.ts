import { expect, test } from "vitest";

import { aCatalogue, aSource, NOW_MS } from "./builders";
import { seenWords } from "./seen";

const at = (shop: string, secondsAgo: number) =>
  aSource(shop, "OK", { asOf: new Date(NOW_MS - secondsAgo * 1_000).toISOString() });

test("a page is as old as the oldest price on it", () => {
  expect(seenWords([at("cinemaworld", 2), at("filmworld", 40)], NOW_MS)).toBe("seen 40 s ago");
});

test("what sells nothing has no prices, so its age says nothing of them", () => {
  expect(seenWords([at("cinemaworld", 2), aCatalogue("OK")], NOW_MS)).toBe("seen 2 s ago");
});

test("without a price from any shop there is no age", () => {
  expect(seenWords([aSource("cinemaworld", "FAILED", { asOf: null })], NOW_MS)).toBeNull();
});
