const ELEMENT = /\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/g;

/**
 * The elements of a list that somebody entered with commas between them.
 *
 * An element that has a comma itself stands in quotes: `"Sammy Davis, Jr.", Dean Martin`.
 */
export function listOf(text: string): string[] {
  return Array.from(text.matchAll(ELEMENT), ([, quoted, plain]) =>
    (quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"')).trim(),
  ).filter((element) => element !== "");
}

/** A list as people enter it; `listOf` reads the same from it. */
export function listText(elements: readonly string[]): string {
  return elements
    .map((element) =>
      element.includes(",") || /^".*"$/s.test(element)
        ? `"${element.replaceAll('"', '""')}"`
        : element,
    )
    .join(", ");
}
