import { useQuery } from "@apollo/client/react";
import { useId } from "react";

import { ProvidersDocument } from "../graphql/generated";
import styles from "./Filters.module.css";
import { FILTERS, filtersCount, type Search } from "./search";

interface Props {
  search: Search;
  onChange: (part: Partial<Search>) => void;
}

/** What shops call genres most often; any other text can be entered as well. */
const GENRES = [
  "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
  "Family", "Fantasy", "History", "Horror", "Music", "Mystery", "Romance", "Sci-Fi", "Sport",
  "Thriller", "War", "Western",
];

const NONE: Partial<Search> = Object.fromEntries(FILTERS.map((name) => [name, ""]));

/** What narrows the list down: every field that is filled has to hold. */
export function Filters({ search, onChange }: Props) {
  const { data } = useQuery(ProvidersDocument);
  const shops = data?.providers.filter((provider) => provider.sells) ?? [];
  const genres = useId();
  const text = (name: keyof Search) => ({
    className: "field",
    value: search[name],
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => {
      onChange({ [name]: event.target.value });
    },
  });
  return (
    <div className={styles.filters}>
      <label className={styles.filter}>
        Genre
        <input {...text("genre")} list={genres} maxLength={40} />
      </label>
      <datalist id={genres}>
        {GENRES.map((genre) => (
          <option key={genre} value={genre} />
        ))}
      </datalist>
      <label className={styles.filter}>
        From year
        <input {...text("yearFrom")} inputMode="numeric" pattern="\d{1,4}" maxLength={4} />
      </label>
      <label className={styles.filter}>
        To year
        <input {...text("yearTo")} inputMode="numeric" pattern="\d{1,4}" maxLength={4} />
      </label>
      <label className={styles.filter}>
        Price up to
        <input
          {...text("priceTo")}
          inputMode="decimal"
          pattern="\d{1,9}(\.\d{1,4})?"
          maxLength={14}
        />
      </label>
      <label className={styles.filter}>
        Shop
        <select {...text("shop")}>
          <option value="">Every shop</option>
          {shops.map((shop) => (
            <option key={shop.id} value={shop.id}>
              Only {shop.name}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="button"
        disabled={filtersCount(search) === 0}
        onClick={() => {
          onChange(NONE);
        }}
      >
        Clear filters
      </button>
    </div>
  );
}
