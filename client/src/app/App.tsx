import { lazy } from "react";
import { Route, Switch } from "wouter";

import { BrowsePage } from "../browse/BrowsePage";
import { Frame } from "./Frame";
import { NotFoundPage } from "./NotFoundPage";
import { ROUTES } from "./routes";

const MoviePage = lazy(async () => ({ default: (await import("../movie/MoviePage")).MoviePage }));
const ExportsPage = lazy(async () => ({
  default: (await import("../exports/ExportsPage")).ExportsPage,
}));

/** Every page there is; all but the first are loaded when they are opened. */
export function App() {
  return (
    <Frame>
      <Switch>
        <Route path={ROUTES.browse}>
          <BrowsePage />
        </Route>
        <Route path={ROUTES.movie}>{({ id }) => <MoviePage key={id} id={id} />}</Route>
        <Route path={ROUTES.exports}>
          <ExportsPage />
        </Route>
        <Route>
          <NotFoundPage />
        </Route>
      </Switch>
    </Frame>
  );
}
