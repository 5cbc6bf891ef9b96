import { useQuery } from "@apollo/client/react";
import { Link } from "wouter";

import { ROUTES } from "../app/routes";
import { Banners } from "../components/Banners";
import { Heading } from "../components/Heading";
import { useAnswer } from "../components/useAnswer";
import { useNow } from "../components/useNow";
import { ProvidersDocument } from "../graphql/generated";
import styles from "./CataloguePage.module.css";
import { EntryList } from "./EntryList";
import { Told } from "./Told";
import { useTold } from "./useTold";

const AGES_MS = 1_000;

/** The movies that the house describes itself. */
export function CataloguePage() {
  const told = useTold();
  const { data, isLoading, trouble, pollMs } = useAnswer(useQuery(ProvidersDocument), () => true);
  const house = data?.providers.find((provider) => !provider.sells);
  return (
    <>
      <Heading title="House catalogue" />
      <p className={styles.about}>
        Movies that we describe ourselves. They fill in what the shops leave out; the house sells
        nothing.
      </p>
      <Told text={told} />
      {house && (
        <>
          <p>
            <Link href={ROUTES.catalogueNew} className={`button primary ${styles.add ?? ""}`}>
              Add a movie
            </Link>
          </p>
          <EntryList house={house.id} />
        </>
      )}
      {!house && <p role="status">{data ? NO_HOUSE : isLoading && "Looking for the catalogue…"}</p>}
      <Banners sources={[]} trouble={trouble} nowMs={useNow(AGES_MS)} pollMs={pollMs} />
    </>
  );
}

const NO_HOUSE =
  "This server keeps no catalogue of its own: that needs an object store in its settings.";
