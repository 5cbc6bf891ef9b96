import { useState } from "react";
import { Link } from "wouter";

import { moviePath, ROUTES } from "../app/routes";
import { Heading } from "../components/Heading";
import { startOf } from "./editing";
import { EntryChoice } from "./EntryChoice";
import { EntryForm } from "./EntryForm";
import styles from "./EntryPage.module.css";
import { EntrySearch } from "./EntrySearch";
import type { Found } from "./found";
import { Told } from "./Told";
import { useTold } from "./useTold";

const NEW = "The house catalogue does not have it yet. What the shops say of it is filled in.";

/** Edits an entry of the house catalogue, or begins one for a movie that the shops have. */
export function EntryPage({ id }: { id: string }) {
  const arrival = useTold();
  const [told, setTold] = useState(arrival);
  const [found, setFound] = useState<Found | null>(null);
  if (!found) return <EntrySearch id={id} onFound={setFound} />;
  if (found.kind === "none") return <NoSuchMovie />;
  if (found.kind === "several") {
    return <EntryChoice entries={found.entries} movieId={found.movieId} />;
  }
  const { start, movieId } = found;
  const isNew = start.entry === null;
  return (
    <>
      <Heading title={`${isNew ? "Add" : "Edit"} ${start.identity.name}`} />
      <Told text={told} />
      <p className={styles.about}>
        {isNew && NEW}{" "}
        {movieId !== null && <Link href={moviePath(movieId)}>See what shops ask for it</Link>}
      </p>
      {isNew ? (
        <EntryForm
          key="new"
          start={start}
          movieId={movieId}
          onHome={(entry, words) => {
            setTold(words);
            setFound({ kind: "form", start: startOf(entry), movieId });
          }}
        />
      ) : (
        <EntryForm key="saved" start={start} movieId={movieId} />
      )}
    </>
  );
}

function NoSuchMovie() {
  return (
    <>
      <Heading title="There is no such movie" />
      <p>
        Neither the house catalogue nor a shop has it.{" "}
        <Link href={ROUTES.catalogueNew}>Add a movie</Link> or{" "}
        <Link href={ROUTES.catalogue}>see those there are</Link>.
      </p>
    </>
  );
}
