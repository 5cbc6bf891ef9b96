const INVISIBLE = /^[\s\p{Cc}\p{Cf}]*$/u;

/** The first character of a title as people see it, whole: an emoji with all of its parts. */
export function initialOf(title: string): string {
  const { Segmenter } = Intl as Partial<typeof Intl>; // older browsers have none
  const characters = Segmenter
    ? Array.from(new Segmenter().segment(title), ({ segment }) => segment)
    : Array.from(title.normalize("NFC"));
  return characters.find((each) => !INVISIBLE.test(each))?.toUpperCase() ?? "";
}
