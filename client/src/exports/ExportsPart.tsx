import { useNow } from "../components/useNow";
import type { ExportsQuery } from "../graphql/generated";
import { isOpen } from "../words/export";
import { ExportItem } from "./ExportItem";
import styles from "./ExportList.module.css";
import { Fault } from "./Fault";
import { type Listed, useExports } from "./useExports";

interface Props {
  /** The cursor of the last export before these; null for the first ones. */
  after: string | null;
  /** How many parts to show after this one. */
  partsLeft: number;
  onMore: () => void;
}

const AGES_MS = 1_000;
const FOLLOWED_MAX = 10; // one socket has room for 20, and a caller for 5 unless settings say more

/** Some of the caller's exports, and those after them: each part starts where the last one ends. */
export function ExportsPart({ after, partsLeft, onMore }: Props) {
  const listed = useExports(after);
  const nowMs = useNow(AGES_MS);
  const page = listed.data?.exports;
  const followed = new Set(
    page?.nodes.filter(isOpen).slice(0, FOLLOWED_MAX).map(({ id }) => id),
  );
  return (
    <>
      <Note listed={listed} isFirst={after === null} />
      {page?.nodes.map((each) => (
        <ExportItem key={each.id} export={each} nowMs={nowMs} isFollowed={followed.has(each.id)} />
      ))}
      {page?.pageInfo.hasNextPage &&
        (partsLeft > 0 ? (
          <ExportsPart after={page.pageInfo.endCursor} partsLeft={partsLeft - 1} onMore={onMore} />
        ) : (
          <li>
            <button type="button" className="button" onClick={onMore}>
              Show older exports
            </button>
          </li>
        ))}
    </>
  );
}

/** What there is to say of the list; nothing while it is there and up to date. */
function Note({ listed, isFirst }: { listed: Listed; isFirst: boolean }) {
  const { data, isLoading, trouble } = listed;
  if (trouble !== null) {
    return (
      <li>
        <Fault text={trouble} />
      </li>
    );
  }
  const text = noteWords(data, isLoading, isFirst);
  if (text === null) return null;
  return (
    <li>
      <p className={styles.told} role="status">
        {text}
      </p>
    </li>
  );
}

function noteWords(
  data: ExportsQuery | undefined,
  isLoading: boolean,
  isFirst: boolean,
): string | null {
  if (!data) return isLoading ? "Loading your exports…" : null;
  if (data.exports === null) return "This server makes no exports.";
  if (data.exports.nodes.length > 0 || !isFirst) return null;
  return "You have no exports yet. Order one: it appears here at once, and is ready soon after.";
}
