import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Route, Switch } from "wouter";

import { BrowsePage } from "../browse/BrowsePage";
import { shown, Unanswered } from "../testing/page";
import { aMoviePage, anOffer, aPricePoint, aSource } from "../words/builders";
import type { MovieDetails } from "../words/movie";
import { MoviePage } from "./MoviePage";

afterEach(() => {
  vi.useRealTimers();
});

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

test("a shop in trouble has a banner, and can be asked again", async () => {
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

test("a shop that is still being asked is waited for, and is no trouble", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const unread = {
    ...SOLD,
    offers: [anOffer("cinemaworld", "123.5"), anOffer("filmworld", null)],
    cheapest: { final: false, saving: null, offer: anOffer("cinemaworld", "123.5") },
    sources: [aSource("cinemaworld", "OK"), aSource("filmworld", "PENDING")],
  };
  const movies = [unread];
  const { asked } = shown(<MoviePage id="tt1" />, { movie: () => movies.pop() ?? SOLD });
  expect(await screen.findByText("filmworld: still being asked.")).toBeTruthy();
  expect(screen.getAllByRole("row")[2]?.textContent).toContain("filmworldreading the price…");
  expect(screen.getByText("Cheapest so far at cinemaworld (filmworld is still being asked)")).toBeTruthy();
  await act(() => vi.advanceTimersByTimeAsync(2_000));
  expect(screen.getAllByRole("row")[2]?.textContent).toContain("filmworld$29.50 cheapest");
  expect(screen.queryByText(/still/)).toBeNull();
  expect(asked.map(({ variables }) => variables.maxWaitMs)).toEqual([700, 700]);
});

test("earlier prices are drawn and listed", async () => {
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

test("a movie that no shop has is shown as not found", async () => {
  showMovie(null);
  expect(await screen.findByRole("heading", { name: "No such movie" })).toBeTruthy();
});

test("a server that does not answer shows an error, with when it is tried again", async () => {
  const movie = () => {
    throw new Unanswered();
  };
  shown(<MoviePage id="tt1" />, { movie });
  expect((await screen.findByRole("alert")).textContent).toBe(
    "movieql does not answer. Tried again every 2 s.",
  );
  expect(screen.getByText("Not known yet.")).toBeTruthy();
});

/** Show the list, and open the movie on it while `movie` answers. */
async function openFromList(movie: () => unknown) {
  const page = {
    totalCount: 1,
    complete: true,
    nodes: [SOLD],
    sources: SOLD.sources,
    pageInfo: { hasNextPage: false, endCursor: null },
  };
  shown(
    <Switch>
      <Route path="/movie/:id">{({ id }) => <MoviePage id={id} />}</Route>
      <Route>
        <BrowsePage />
      </Route>
    </Switch>,
    { movies: () => page, movie },
  );
  fireEvent.click(within(await screen.findByRole("article")).getByRole("link"));
}

function expectListed() {
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Alien 1979");
  expect(document.querySelector("[data-placeholder]")).not.toBeNull();
  expect(screen.getByText(/^Cheapest at filmworld/)).toBeTruthy();
  expect(screen.getAllByRole("row")[2]?.textContent).toContain("filmworld$29.50 cheapest");
  expect(screen.getByRole("status").textContent).toBe("Last known; waiting for an update");
}

test("a movie starts with what the list has loaded, while its shops are asked", async () => {
  let answer: (movie: MovieDetails) => void = () => undefined;
  await openFromList(() => new Promise((resolve) => (answer = resolve)));
  expectListed();
  expect(screen.getByText("Asking the shops…")).toBeTruthy();
  expect(screen.queryByText(/Nobody told|was seen yet|Describe it/)).toBeNull();
  answer({ ...SOLD, plot: "In space no one can hear you scream." });
  expect(await screen.findByText("In space no one can hear you scream.")).toBeTruthy();
  expect(screen.queryByRole("status")).toBeNull();
  expect(screen.getByText("No price of it was seen yet.")).toBeTruthy();
});

test("without a server a movie shows what the list has loaded, and an error", async () => {
  await openFromList(() => {
    throw new Unanswered();
  });
  expect((await screen.findByRole("alert")).textContent).toContain("movieql does not answer.");
  expectListed();
  await waitFor(() => {
    expect(screen.getByText("Not known yet.")).toBeTruthy();
  });
});

/** The page of a movie, that one can leave and come back to. */
const PAGE = (
  <Switch>
    <Route path="/other">elsewhere</Route>
    <Route>
      <MoviePage id="tt1" />
    </Route>
  </Switch>
);

test("a movie that was not found is requested again before the page says so again", async () => {
  let movie: MovieDetails | null = null;
  const { go } = shown(PAGE, { movie: () => movie });
  expect(await screen.findByRole("heading", { name: "No such movie" })).toBeTruthy();
  go("/other");
  movie = SOLD;
  go("/");
  expect(screen.queryByRole("heading", { name: "No such movie" })).toBeNull();
  expect(await screen.findByRole("heading", { name: /Alien/ })).toBeTruthy();
});

test("a cached 'no such movie' is not shown while movieql does not answer", async () => {
  let isGone = false;
  const movie = () => {
    if (isGone) throw new Unanswered();
    return null;
  };
  const { go } = shown(PAGE, { movie });
  await screen.findByRole("heading", { name: "No such movie" });
  go("/other");
  isGone = true;
  go("/");
  await screen.findByRole("alert");
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Movie");
  expect(screen.getByText("Not known yet.")).toBeTruthy();
});

test("a missing plot is not called unknown to all while a shop does not answer", async () => {
  showMovie({ ...SOLD, sources: [aSource("cinemaworld", "OK"), aSource("filmworld", "FAILED")] });
  expect(await screen.findByText("Not known yet: not every shop has answered.")).toBeTruthy();
});
