import { skipToken, useQuery } from "@apollo/client/react";
import { useEffect, useEffectEvent } from "react";

import { NOW } from "../apollo/now";
import { Banners } from "../components/Banners";
import { Heading } from "../components/Heading";
import { useAnswer } from "../components/useAnswer";
import { useNow } from "../components/useNow";
import { CatalogueMovieDocument, MovieDescriptionDocument } from "../graphql/generated";
import { type Found, foundOf, isKnown } from "./found";

interface Props {
  id: string;
  onFound: (found: Found) => void;
}

const AGES_MS = 1_000;

/** Asks for a movie until it is known what the house catalogue has of it. */
export function EntrySearch({ id, onFound }: Props) {
  const options = { variables: { id }, fetchPolicy: "no-cache", context: NOW } as const;
  const movie = useAnswer(useQuery(CatalogueMovieDocument, options), isKnown);
  const known = movie.data && isKnown(movie.data) ? movie.data : null;
  const isNew = known?.movie !== null && known?.movie?.catalogueEntry === null;
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
        {movie.isLoading || known
          ? "Looking for the movie…"
          : "It is not known yet whether the house catalogue has this movie."}
      </p>
      <Banners
        sources={known ? [] : (movie.data?.movie?.sources ?? [])}
        trouble={movie.trouble ?? description.trouble}
        nowMs={useNow(AGES_MS)}
        pollMs={movie.pollMs}
      />
    </>
  );
}
