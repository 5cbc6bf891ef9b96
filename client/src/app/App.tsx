import { lazy } from "react";
import { Route, Switch } from "wouter";

import { BrowsePage } from "../browse/BrowsePage";
import { MoviePage } from "../movie/MoviePage";
import { Frame } from "./Frame";
import { NotFoundPage } from "./NotFoundPage";
import { ROUTES } from "./routes";

const ExportsPage = lazy(async () => ({
  default: (await import("../exports/ExportsPage")).ExportsPage,
}));
const CataloguePage = lazy(async () => ({
  default: (await import("../catalogue/CataloguePage")).CataloguePage,
}));
const NewEntryPage = lazy(async () => ({
  default: (await import("../catalogue/NewEntryPage")).NewEntryPage,
}));
const EntryPage = lazy(async () => ({
  default: (await import("../catalogue/EntryPage")).EntryPage,
}));

/** Every page there is; all but those of the movies are loaded when they are opened. */
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
        <Route path={ROUTES.catalogue}>
          <CataloguePage />
        </Route>
        <Route path={ROUTES.catalogueNew}>
          <NewEntryPage />
        </Route>
        <Route path={ROUTES.catalogueEntry}>{({ id }) => <EntryPage key={id} id={id} />}</Route>
        <Route>
          <NotFoundPage />
        </Route>
      </Switch>
    </Frame>
  );
}
