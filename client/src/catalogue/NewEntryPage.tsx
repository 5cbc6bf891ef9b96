import { useLocation } from "wouter";

import { cataloguePath } from "../app/routes";
import { Heading } from "../components/Heading";
import type { Start } from "./editing";
import { EntryForm } from "./EntryForm";
import { EMPTY } from "./fields";

const BLANK: Start = { entry: null, identity: { name: "", year: "" }, draft: EMPTY };

/** Adds a movie to the house catalogue. */
export function NewEntryPage() {
  const [, navigate] = useLocation();
  return (
    <>
      <Heading title="Add a movie" />
      <EntryForm
        start={BLANK}
        movieId={null}
        onHome={(entry, told) => {
          // Going back must not lead to a form that would add it once more.
          navigate(cataloguePath(entry.id), { replace: true, state: { told } });
        }}
      />
    </>
  );
}
