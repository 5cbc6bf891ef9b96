/** A simulated shop, as far as it matters for what can be seen of it. */
export interface BrokenShop {
  name: string;
  mode: string;
  endpoint: string;
}

/** What is seen of a shop. */
type Sight = "well" | "passing" | "unlisted" | "aged";

const SENTENCES: Record<Exclude<Sight, "well">, (names: string) => string> = {
  aged: (names) => `Watch the prices of ${names} get an age, and “cheapest” become “so far”.`,
  unlisted: (names) => `Watch “cheapest” become “so far”, while the prices of ${names} stay.`,
  passing: (names) => `Whenever ${names} fails, it is asked again at once: little is seen of it.`,
};

const NAMES = new Intl.ListFormat("en", { type: "conjunction" });
const ANY_NAME = new Intl.ListFormat("en", { type: "disjunction" });

/** What to look at while shops are broken. */
export function watchWords(shops: readonly BrokenShop[]): string {
  const sentences = (["aged", "unlisted", "passing"] as const).flatMap((sight) => {
    const names = shops.filter((shop) => sightOf(shop) === sight).map(({ name }) => name);
    const list = sight === "passing" ? ANY_NAME : NAMES;
    return names.length > 0 ? SENTENCES[sight](list.format(names)) : [];
  });
  if (sentences.length > 0) return sentences.join(" ");
  return "All shops are well. Let one misbehave and watch the movies: there is nothing to reload.";
}

function sightOf({ mode, endpoint }: BrokenShop): Sight {
  if (mode === "ok") return "well";
  if (mode === "flapping" || mode === "observed") return "passing";
  return endpoint === "list" ? "unlisted" : "aged";
}
