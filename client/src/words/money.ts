/** An exact amount, as text: `{ amount: "29.5", currency: "AUD" }`. */
export interface Money {
  amount: string;
  currency: string;
}

/**
 * `$29.50`: every digit that the shop gave, and at least as many as the currency has.
 *
 * The short sign is enough: a server's shops all have one currency, which the page names once.
 */
export function moneyWords({ amount, currency }: Money): string {
  const digits = amount.split(".")[1]?.length ?? 0;
  const least = formatOf(currency).resolvedOptions().minimumFractionDigits ?? 0;
  // Text goes to the formatter as it is: through a number it could lose digits.
  return formatOf(currency, Math.max(digits, least)).format(amount as `${number}`);
}

/** Whether an amount is nothing at all, however many zeros it is written with. */
export function isZero({ amount }: Money): boolean {
  return /^-?0*\.?0*$/.test(amount);
}

function formatOf(currency: string, maximumFractionDigits?: number): Intl.NumberFormat {
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    ...(maximumFractionDigits === undefined ? {} : { maximumFractionDigits }),
  });
}
