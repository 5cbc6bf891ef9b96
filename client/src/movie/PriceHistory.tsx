import type { PricePointFragment } from "../graphql/generated";
import { momentWords, pointWords } from "../words/history";
import { moneyWords } from "../words/money";
import type { MovieDetails } from "../words/movie";
import { chartOf, type Frame } from "./chart";
import styles from "./PriceHistory.module.css";

const FRAME: Frame = { width: 480, height: 180, left: 8, right: 96, top: 24, bottom: 28 };
const LABEL_GAP = 16;

/** What the shops asked in the last 30 days, as far as it was seen. */
export function PriceHistory({ movie, nowMs }: { movie: MovieDetails; nowMs: number }) {
  const { priceHistory: points, lowestIn30Days: lowest } = movie;
  return (
    <section>
      <h2 className={styles.heading}>Prices in the last 30 days</h2>
      {lowest ? (
        <p className={styles.lowest}>Lowest: {pointWords(lowest, nowMs)}.</p>
      ) : (
        <p className={styles.lowest}>No price of it was seen yet.</p>
      )}
      <Drawing points={points} nowMs={nowMs} />
      {points.length > 0 && (
        <details>
          <summary className={styles.summary}>
            {points.length === 1 ? "The one price" : `All ${points.length.toString()} prices`} seen
          </summary>
          <ul className={styles.points}>
            {[...points].reverse().map((point) => (
              <li key={`${point.provider.id} ${point.providerMovieId} ${point.at}`}>
                {pointWords(point, nowMs)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Drawing({ points, nowMs }: { points: readonly PricePointFragment[]; nowMs: number }) {
  const chart = chartOf(points, nowMs, FRAME);
  if (!chart) return null;
  const { width, height, left, right, bottom } = FRAME;
  const marks = chart.lowest.y === chart.highest.y ? [chart.highest] : [chart.highest, chart.lowest];
  return (
    // The words around it say the same: who cannot see the drawing misses nothing.
    <svg className={styles.chart} viewBox={`0 0 ${String(width)} ${String(height)}`} aria-hidden="true">
      {marks.map(({ point, y }) => (
        <g key={y}>
          <path className={styles.level} d={`M${String(left)} ${String(y)}H${String(width - right)}`} />
          <text className={styles.amount} x={left} y={y - 6}>
            {moneyWords(point.price)}
          </text>
        </g>
      ))}
      {chart.lines.map(({ key, path }, place) => (
        <path key={key} className={styles.line} data-place={place % 4} d={path} />
      ))}
      {spread(chart.lines.map(({ end }) => end.y)).map((y, place) => (
        <text key={chart.lines[place]?.key} className={styles.shop} data-place={place % 4} x={width - right + 8} y={y + 4}>
          {chart.lines[place]?.shop}
        </text>
      ))}
      <text className={styles.time} x={left} y={height - bottom + 20}>
        {momentWords(chart.sinceMs, nowMs)}
      </text>
      <text className={styles.time} x={width - right} y={height - bottom + 20} textAnchor="end">
        now
      </text>
    </svg>
  );
}

/** Move heights apart where words would lie on each other. */
function spread(heights: readonly number[]): number[] {
  const moved = [...heights];
  const order = heights.map((_, place) => place).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  order.forEach((place, index) => {
    const above = index === 0 ? -Infinity : (moved[order[index - 1] ?? 0] ?? 0);
    moved[place] = Math.max(moved[place] ?? 0, above + LABEL_GAP);
  });
  return moved;
}
