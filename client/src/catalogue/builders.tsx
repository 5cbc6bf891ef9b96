// What tests of the house catalogue make their cases from.
import { GraphQLError } from "graphql";
import { screen } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import type { ReactNode } from "react";
import { useLocation } from "wouter";

import { SessionStore } from "../session/store";
import { type Answers, shown, type Shown } from "../testing/page";
import { aSource } from "../words/builders";
import { startOf } from "./editing";
import { EntryForm } from "./EntryForm";
import type { Entry } from "./fields";

/** Heat, as it was first saved. */
export const HEAT: Entry = {
  id: "entry:heat",
  version: "v1",
  name: "Heat",
  year: 1995,
  director: "Michael Mann",
  genres: ["Crime"],
  actors: [],
  writers: [],
  plot: null,
  poster: null,
  rated: null,
  released: null,
  runtimeMinutes: null,
  languages: [],
  countries: [],
  awards: null,
};

/** The provider that sells nothing. */
export const HOUSE = { id: "house", name: "House catalogue", sells: false };

/** The source report of the house catalogue. */
export function aHouse(status: "OK" | "FAILED" = "OK") {
  const error = { code: "UNAVAILABLE" as const, retryable: true, retryAfterMs: null };
  return aSource("house", status, { provider: HOUSE, error: status === "OK" ? null : error });
}

/** An entry as an answer has it: with its merged movie. */
export function aNode(entry: Entry) {
  return { __typename: "CatalogueEntry", ...entry, movie: { id: "tt0113277" } };
}

/** A merged movie with an entry, or without one. */
export function aMerged(entry: Entry | null, rest: object = {}) {
  return {
    __typename: "Movie",
    ...(entry ?? { ...HEAT, genres: ["Crime", "Thriller"] }),
    id: "tt0113277",
    title: "Heat",
    catalogueEntries: entry ? [entry] : [],
    sources: [aSource("filmworld", "OK"), aHouse()],
    ...rest,
  };
}

/** A page of a list of merged movies. */
export function aPage(nodes: object[], rest: object = {}) {
  return {
    totalCount: nodes.length,
    complete: true,
    nodes,
    sources: [aHouse()],
    pageInfo: { hasNextPage: false, endCursor: null },
    ...rest,
  };
}

/** What comes back of a write that was made. */
export function written(entry: Entry, created = false) {
  return { created, entry, errors: [], movie: aMerged(entry) };
}

/** What comes back of a write that was not made; `error` has its type's name. */
export function unwritten(error: { __typename: string } & Record<string, unknown>) {
  return { created: false, entry: null, movie: null, errors: [{ message: "No.", ...error }] };
}

/** An error instead of an answer. */
export function coded(code: string): GraphQLError {
  return new GraphQLError(`It is ${code}.`, { extensions: { code } });
}

/** Somebody who is signed in. */
export function signedIn(): SessionStore {
  const session = new SessionStore();
  session.signIn({ name: "dev", token: "t", endsAtMs: null });
  return session;
}

/** A page of the catalogue, the hands of who uses it, and what they wrote. */
export interface ShownTo extends Shown {
  user: UserEvent;
  writes: () => Record<string, unknown>[];
}

/** Show a page of the catalogue; without a session it is one that nobody has signed in to. */
export function shownTo(
  page: ReactNode,
  answers: Answers,
  session: SessionStore = signedIn(),
): ShownTo {
  const all = { providers: () => [HOUSE], movies: () => aPage([]), ...answers };
  const result = shown(
    <>
      {page}
      <Address />
    </>,
    all,
    { session, path: "/somewhere" },
  );
  return {
    ...result,
    user: userEvent.setup(),
    writes: () =>
      result.asked.filter(({ name }) => name === "UpsertMovie").map(({ variables }) => variables),
  };
}

/** Show the form of Heat. */
export function shownForm(answers: Answers, session?: SessionStore): ShownTo {
  const form = <EntryForm start={startOf(HEAT)} movieId="tt0113277" />;
  return shownTo(form, answers, session);
}

/** Put a text into a field of the form, in place of what it had. */
export async function filled({ user }: ShownTo, label: string, text: string): Promise<void> {
  await user.clear(screen.getByLabelText(label));
  if (text) await user.type(screen.getByLabelText(label), text);
}

/** What the form says that happened. */
export function status(): string | null | undefined {
  return screen.getAllByRole("status")[0]?.textContent;
}

/** Where links and buttons have led. */
export function address(): string | null {
  return screen.getByTestId("address").textContent;
}

function Address() {
  const [path] = useLocation();
  return <output data-testid="address">{path}</output>;
}
