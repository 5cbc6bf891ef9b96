import { Route, Switch } from "wouter";

import { BrowsePage } from "../browse/BrowsePage";
import { Frame } from "./Frame";
import { NotFoundPage } from "./NotFoundPage";
import { ROUTES } from "./routes";

/** Every page there is. */
export function App() {
  return (
    <Frame>
      <Switch>
        <Route path={ROUTES.browse}>
          <BrowsePage />
        </Route>
        <Route>
          <NotFoundPage />
        </Route>
      </Switch>
    </Frame>
  );
}
