import { useQuery } from "@apollo/client/react";

import { NOW } from "../apollo/now";
import { LoadMore } from "../browse/LoadMore";
import { Banners } from "../components/Banners";
import { useAnswer } from "../components/useAnswer";
import { useNow } from "../components/useNow";
import { HouseCatalogueDocument, type HouseCatalogueQuery } from "../graphql/generated";
import { countWords } from "../words/entry";
import styles from "./EntryList.module.css";
import { EntryRow } from "./EntryRow";

interface Props {
  house: string;
  /** The cursor of the last movie before this page; null for the first page. */
  after: string | null;
  /** How many pages to show after this one. */
  pagesLeft: number;
  onMore: () => void;
}

const AGES_MS = 1_000;

/** One page of entries, and the pages after it: each starts where the one before it ends. */
export function EntryListPage({ house, after, pagesLeft, onMore }: Props) {
  const variables = { filter: { providers: [house] }, after };
  const { latest, isLoading, trouble, pollMs } = useAnswer(
    useQuery(HouseCatalogueDocument, { variables, fetchPolicy: "cache-and-network", context: NOW }),
    ({ movies }) => movies.complete,
  );
  const nowMs = useNow(AGES_MS);
  const page = latest?.data.movies;
  return (
    <>
      {after === null && (
        <li className={styles.status}>
          <p role="status">{statusWords(page, isLoading)}</p>
          <Banners sources={page?.sources ?? []} trouble={trouble} nowMs={nowMs} pollMs={pollMs} />
        </li>
      )}
      {page?.nodes.map(({ id: movieId, catalogueEntries }) =>
        catalogueEntries.map((entry) => <EntryRow key={entry.id} entry={entry} movieId={movieId} />),
      )}
      {page?.pageInfo.hasNextPage &&
        (pagesLeft > 0 ? (
          <EntryListPage
            house={house}
            after={page.pageInfo.endCursor}
            pagesLeft={pagesLeft - 1}
            onMore={onMore}
          />
        ) : (
          <LoadMore onMore={onMore} />
        ))}
    </>
  );
}

function statusWords(page: HouseCatalogueQuery["movies"] | undefined, isLoading: boolean): string {
  if (!page) return isLoading ? "Asking the house catalogue…" : "No movies to show";
  if (page.pageInfo.hasNextPage) return `At least ${countWords(page.totalCount)}`;
  // Several entries may be one merged movie, and those are what a page counts.
  const count = page.nodes.reduce((sum, { catalogueEntries }) => sum + catalogueEntries.length, 0);
  if (count > 0) return countWords(count);
  if (!page.complete) return "No movies to show: the house catalogue has not answered";
  return "There is no movie of our own yet. Add the first one: a title and a year are enough.";
}
