import type { PricePointFragment } from "../graphql/generated";

/** The size of a drawing, and its margins for words; in its own units. */
export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** One offer's prices over time. */
export interface Line {
  key: string;
  shop: string;
  /** An SVG path: a price holds until the next one is seen, and the last one until now. */
  path: string;
  /** Where the line ends. */
  end: { x: number; y: number };
}

/** A drawing of prices: pure numbers, to be put into SVG. */
export interface Chart {
  lines: Line[];
  lowest: Mark;
  highest: Mark;
  sinceMs: number;
}

/** A price that is written beside the drawing, and how high it lies. */
export interface Mark {
  point: PricePointFragment;
  y: number;
}

/** Draw prices from their first to `nowMs`; null when there are none. */
export function chartOf(
  points: readonly PricePointFragment[],
  nowMs: number,
  frame: Frame,
): Chart | null {
  const [first, ...rest] = points;
  if (!first) return null;
  const lowest = rest.reduce((low, each) => (amountOf(each) < amountOf(low) ? each : low), first);
  const highest = rest.reduce((top, each) => (amountOf(each) > amountOf(top) ? each : top), first);
  const sinceMs = Math.min(...points.map(msOf));
  const x = scaled([sinceMs, Math.max(nowMs, sinceMs + 1)], [frame.left, frame.width - frame.right]);
  const y = scaled(
    [amountOf(lowest), amountOf(highest)],
    [frame.height - frame.bottom, frame.top],
  );
  const endX = frame.width - frame.right;
  const lines = offersOf(points).map(([key, offer]): Line => {
    const corners = offer.map((each) => ({ x: x(msOf(each)), y: y(amountOf(each)) }));
    return { key, shop: offer[0].provider.name, ...stepped(corners, endX) };
  });
  return {
    lines,
    sinceMs,
    lowest: { point: lowest, y: y(amountOf(lowest)) },
    highest: { point: highest, y: y(amountOf(highest)) },
  };
}

type Points = [PricePointFragment, ...PricePointFragment[]];

function offersOf(points: readonly PricePointFragment[]): [string, Points][] {
  const offers = new Map<string, Points>();
  for (const point of [...points].sort((a, b) => msOf(a) - msOf(b))) {
    const key = `${point.provider.id} ${point.providerMovieId}`;
    const known = offers.get(key);
    if (known) known.push(point);
    else offers.set(key, [point]);
  }
  return [...offers];
}

function stepped(corners: { x: number; y: number }[], endX: number): Pick<Line, "path" | "end"> {
  const [first, ...rest] = corners;
  const start = first ? `M${at(first.x)} ${at(first.y)}` : "";
  const steps = rest.map(({ x, y }) => `H${at(x)}V${at(y)}`);
  return {
    path: `${start}${steps.join("")}H${at(endX)}`,
    end: { x: endX, y: corners.at(-1)?.y ?? 0 },
  };
}

/** A number within `from` as one within `to`; the middle when `from` has no width. */
function scaled(from: [number, number], to: [number, number]): (value: number) => number {
  const width = from[1] - from[0];
  return (value) => {
    const share = width === 0 ? 0.5 : (value - from[0]) / width;
    return to[0] + share * (to[1] - to[0]);
  };
}

function at(number: number): string {
  return (Math.round(number * 10) / 10).toString();
}

function msOf(point: PricePointFragment): number {
  return Date.parse(point.at);
}

/** For drawing alone: what is written is the exact text. */
function amountOf(point: PricePointFragment): number {
  return Number(point.price.amount);
}
