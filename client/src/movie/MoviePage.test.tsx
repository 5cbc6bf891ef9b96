import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { shown, Unanswered } from "../testing/page";
import { aMoviePage, anOffer, aPricePoint, aSource } from "../words/builders";
import type { MovieDetails } from "../words/movie";
import { MoviePage } from "./MoviePage";

function showMovie(movie: MovieDetails | null) {
  return shown(<MoviePage id="tt1" />, { movie: () => movie });
}

const SOLD = aMoviePage({
  offers: [anOffer("cinemaworld", "123.5"), anOffer("filmworld", "29.5")],
  cheapest: {
    final: true,
    saving: { amount: "94", currency: "AUD" },
    offer: { providerMovieId: "filmworld-1", provider: { id: "filmworld" } },
  },
});

test("a movie has what each shop asks, and which of them is cheapest", async () => {
  showMovie({ ...SOLD, plot: "In space no one can hear you scream." });
  expect(await screen.findByText(/^Cheapest at filmworld/)).toBeTruthy();
  const rows = screen.getAllByRole("row").map(({ textContent }) => textContent);
  expect(rows[1]).toContain("cinemaworld$123.50");
  expect(rows[2]).toContain("filmworld$29.50 cheapest");
  expect(screen.getByText("In space no one can hear you scream.")).toBeTruthy();
});

test.each([
  [null, "Describe it in the house catalogue"],
  [{ id: "alien_1979" }, "Edit what the house says of it"],
])("a movie leads to its entry in the house catalogue", async (catalogueEntry, words) => {
  showMovie({ ...SOLD, catalogueEntry });
  const link = await screen.findByRole("link", { name: words });
  expect(link.getAttribute("href")).toBe("/catalogue/tt1");
});

test("a shop in trouble is told of, and can be asked again", async () => {
  const error = { code: "TIMEOUT" as const, retryable: true, retryAfterMs: null };
  showMovie({
    ...SOLD,
    offers: SOLD.offers.slice(0, 1),
    cheapest: { ...SOLD.cheapest, final: false, saving: null },
    sources: [
      aSource("cinemaworld", "OK"),
      { ...aSource("filmworld", "FAILED"), asOf: null, error },
    ],
  });
  expect(await screen.findByText(/Cheapest so far at filmworld \(filmworld has not answered\)/)).toBeTruthy();
  expect(screen.getByText("filmworld took too long to answer.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "retry filmworld’s price" })).toBeTruthy();
});

test("what was asked before is drawn and said", async () => {
  const points = [aPricePoint("filmworld", "39", 48), aPricePoint("filmworld", "29.5", 3)];
  const { container } = showMovie({
    ...SOLD,
    priceHistory: points,
    lowestIn30Days: points[1] ?? null,
  });
  expect(await screen.findByText(/^Lowest: \$29\.50 at filmworld/)).toBeTruthy();
  expect(container.querySelectorAll("path[data-place]")).toHaveLength(1);
  expect(screen.getByText("All 2 prices seen")).toBeTruthy();
});

test("without a price seen nothing is drawn, and the page says so", async () => {
  const { container } = showMovie(SOLD);
  expect(await screen.findByText("No price of it was seen yet.")).toBeTruthy();
  expect(container.querySelector("path[data-place]")).toBeNull();
});

test("a movie that every shop says there is not is said to be none", async () => {
  showMovie(null);
  expect(await screen.findByRole("heading", { name: "No such movie" })).toBeTruthy();
});

test("a server that does not answer is told of, with when it is tried again", async () => {
  const movie = () => {
    throw new Unanswered();
  };
  shown(<MoviePage id="tt1" />, { movie });
  expect((await screen.findByRole("alert")).textContent).toBe(
    "movieql does not answer. Tried again every 2 s.",
  );
  expect(screen.getByText("Nothing is known of it yet.")).toBeTruthy();
});
