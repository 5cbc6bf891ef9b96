import { expect, test } from "vitest";

import { sizeWords } from "./size";

test.each([
  [812, "812 bytes"],
  [1_000, "1.0 kB"],
  [9_940, "9.9 kB"],
  [129_765, "130 kB"],
  [999_600, "1.0 MB"],
  [1_206_857, "1.2 MB"],
  [80_000_000_000, "80 GB"],
])("%i bytes are %s", (bytes, words) => {
  expect(sizeWords(bytes)).toBe(words);
});
