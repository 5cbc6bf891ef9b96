const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const STEP = 1_000;
const ROUGH = 9.95; // from here on a digit after the point says nothing

/** `1.2 MB`: how large a file is. */
export function sizeWords(bytes: number): string {
  let size = bytes;
  let unit = 0;
  // What would be rounded to 1000 is one of the next unit.
  while (Math.round(size) >= STEP && unit < UNITS.length - 1) {
    size /= STEP;
    unit += 1;
  }
  const digits = unit === 0 || size >= ROUGH ? 0 : 1;
  return `${size.toFixed(digits)} ${UNITS[unit] ?? ""}`;
}
