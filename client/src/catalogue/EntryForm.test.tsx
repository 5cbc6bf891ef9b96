import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";

import { SessionStore } from "../session/store";
import { filled, HEAT, shownForm, status, unwritten, written } from "./builders";

test("only what was changed is sent, for the version that was read", async () => {
  const page = shownForm({
    upsertMovie: () => written({ ...HEAT, version: "v2", genres: ["Crime", "Drama"] }),
  });
  await filled(page, "Genres", "Crime,Drama");
  await filled(page, "Director", "");
  await filled(page, "Running time", "170");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => {
    expect(status()).toBe("Saved");
  });
  expect(page.writes()).toEqual([
    {
      input: {
        name: "Heat",
        year: 1995,
        director: null,
        genres: ["Crime", "Drama"],
        runtimeMinutes: 170,
        ifMatch: "v1",
      },
    },
  ]);
  // The form has what the server says, and goes on from its version.
  expect(screen.getByLabelText("Director")).toHaveProperty("value", "Michael Mann");
  await filled(page, "Plot", "A heist.");
  expect(status()).toBe("");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => {
    expect(page.writes()[1]).toEqual({
      input: { name: "Heat", year: 1995, plot: "A heist.", ifMatch: "v2" },
    });
  });
});

test("name and year of an entry that is there stay", () => {
  shownForm({});
  expect(screen.getByLabelText("Title")).toHaveProperty("readOnly", true);
  expect(screen.getByLabelText("Year")).toHaveProperty("readOnly", true);
});

test("what was not changed is not sent", async () => {
  const page = shownForm({});
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  expect(status()).toBe("Nothing was changed, so nothing was saved");
  expect(page.writes()).toEqual([]);
});

test("a value that the server does not allow shows an error at its field, which gets the focus", async () => {
  const error = { __typename: "ValidationFailed", message: "No address.", path: ["input", "poster"] };
  const page = shownForm({ upsertMovie: () => unwritten(error) });
  await filled(page, "Poster", "nonsense");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  const poster = screen.getByLabelText("Poster");
  await waitFor(() => {
    expect(document.activeElement).toBe(poster);
  });
  expect(screen.getByRole("alert").textContent).toBe("No address.");
  expect(poster.getAttribute("aria-describedby")).toContain(screen.getByRole("alert").id);
  expect(poster).toHaveProperty("value", "nonsense");
});

test("what is no number is not sent", async () => {
  const page = shownForm({});
  await filled(page, "Running time", "2 h");
  await page.user.click(screen.getByRole("button", { name: "Save" }));
  expect(screen.getByRole("alert").textContent).toContain("whole number");
  expect(page.writes()).toEqual([]);
});

test("who is not signed in reads, types, and keeps what was typed once signed in", async () => {
  const session = new SessionStore();
  const page = shownForm({ upsertMovie: () => written(HEAT) }, session);
  expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Delete this movie" })).toBeNull();
  expect(screen.getByText("Sign in to add and edit movies.")).toBeTruthy();
  await filled(page, "Plot", "A heist.");
  await page.user.type(screen.getByLabelText("Plot"), "{Enter}");
  expect(page.writes()).toEqual([]);
  session.signIn({ name: "dev", token: "t", endsAtMs: null });
  expect(await screen.findByRole("button", { name: "Save" })).toBeTruthy();
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "A heist.\n");
});

test("a session that ends while somebody types loses nothing of what was entered", async () => {
  const session = new SessionStore();
  session.signIn({ name: "dev", token: "t", endsAtMs: null });
  const page = shownForm({}, session);
  await filled(page, "Plot", "A heist.");
  session.end("You were signed out.");
  expect(await screen.findByText("You were signed out.")).toBeTruthy();
  expect(screen.getByLabelText("Plot")).toHaveProperty("value", "A heist.");
});

test("the browser asks before the tab is closed with unsaved changes, and only then", async () => {
  const page = shownForm({});
  const isAsked = () => !fireEvent(window, new Event("beforeunload", { cancelable: true }));
  expect(isAsked()).toBe(false);
  await filled(page, "Plot", "A heist.");
  expect(isAsked()).toBe(true);
  await filled(page, "Plot", "");
  expect(isAsked()).toBe(false);
});
