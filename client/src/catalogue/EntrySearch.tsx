import { skipToken, useQuery } from "@apollo/client/react";
import { useEffect, useEffectEvent } from "react";

import { NOW } from "../apollo/now";
import { Banners } from "../components/Banners";
import { Heading } from "../components/Heading";
import { useAnswer } from "../components/useAnswer";
import { useNow } from "../components/useNow";
import { CatalogueNodeDocument, MovieDescriptionDocument } from "../graphql/generated";
import { type Found, foundOf, isKnown, sourcesOf } from "./found";

interface Props {
  id: string;
  onFound: (found: Found) => void;
}

const AGES_MS = 1_000;

/** Asks for a movie until it is known what the house catalogue has of it. */
export function EntrySearch({ id, onFound }: Props) {
  const options = { variables: { id }, fetchPolicy: "no-cache", context: NOW } as const;
  const answer = useAnswer(useQuery(CatalogueNodeDocument, options), isKnown);
  const known = answer.data && isKnown(answer.data) ? answer.data : null;
  const isNew = known?.node?.__typename === "Movie" && known.node.catalogueEntries.length === 0;
  const description = useAnswer(
    useQuery(MovieDescriptionDocument, isNew ? options : skipToken),
    () => true,
  );
  const found = known && foundOf(known, description.data);
  const tell = useEffectEvent(onFound);
  useEffect(() => {
    if (found) tell(found);
  }, [found]);
  return (
    <>
      <Heading title="House catalogue" />
      <p role="status">
        {answer.isLoading || known
          ? "Looking for the movie…"
          : "It is not known yet whether the house catalogue has this movie."}
      </p>
      <Banners
        sources={known ? [] : sourcesOf(answer.data)}
        trouble={answer.trouble ?? description.trouble}
        nowMs={useNow(AGES_MS)}
        pollMs={answer.pollMs}
      />
    </>
  );
}
