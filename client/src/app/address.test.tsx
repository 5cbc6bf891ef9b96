import { render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Link, Route, Router, Switch, useLocation, useSearchParams } from "wouter";

import { partsOf, usePath, useQueryString } from "./address";
import { moviePath, ROUTES } from "./routes";

afterEach(() => {
  window.history.replaceState(null, "", "/");
});

function Where() {
  const [path] = useLocation();
  const [params] = useSearchParams();
  return (
    <>
      <p data-testid="path">{path}</p>
      <p data-testid="title">{params.get("title")}</p>
    </>
  );
}

function show(address: string) {
  window.history.replaceState(null, "", address);
  render(
    <Router hook={usePath} searchHook={useQueryString} parser={partsOf}>
      <Where />
      <Link href={moviePath("a/b")}>a link</Link>
      <Switch>
        <Route path={ROUTES.movie}>{({ id }) => <p>movie {JSON.stringify(id)}</p>}</Route>
        <Route path={ROUTES.exports}>exports</Route>
        <Route>no page</Route>
      </Switch>
    </Router>,
  );
}

test.each([
  "tt1", "a/b", "100%", "%2F", "%25", "😀", "a b", "q?#;,:@&=+$!'()*~", "a\nb", "\0", ".a", "é",
])("the page of a movie is opened by its id, which is %j", (id) => {
  show(moviePath(id));
  expect(screen.getByText(`movie ${JSON.stringify(id)}`)).toBeTruthy();
});

test.each(["/movie/", "/movie/a/b", "/movie/tt1/", "/movie/%ff", "/exports/", "/Exports", "/x"])(
  "%s is the address of no page, as the server says",
  (address) => {
    show(address);
    expect(screen.getByText("no page")).toBeTruthy();
  },
);

test.each(["100%", "%41", "a&b=c", "a+b", "#"])("a search for %s is read as it was", (title) => {
  show(`/?${new URLSearchParams({ title }).toString()}`);
  expect(screen.getByTestId("title").textContent).toBe(title);
});

test("a link leads to what it names", async () => {
  show("/");
  screen.getByText("a link").click();
  expect(await screen.findByText('movie "a/b"')).toBeTruthy();
  expect(window.location.pathname).toBe("/movie/a%2Fb");
});
