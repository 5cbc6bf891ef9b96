import { ORDERS } from "./orders";
import { Filters } from "./Filters";
import { filtersCount, type Search } from "./search";
import styles from "./SearchBar.module.css";

interface Props {
  search: Search;
  onChange: (part: Partial<Search>) => void;
}

const TITLE_CHARS_MAX = 100;

/** Where people say what they look for, and in which order. */
export function SearchBar({ search, onChange }: Props) {
  const count = filtersCount(search);
  return (
    <form
      role="search"
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <input
        type="search"
        className={`field ${styles.title ?? ""}`}
        aria-label="Search by title"
        placeholder="Search by title"
        autoComplete="off"
        maxLength={TITLE_CHARS_MAX}
        value={search.title}
        onChange={(event) => {
          onChange({ title: event.target.value });
        }}
      />
      <label className={styles.order}>
        Order
        <select
          className="field"
          value={search.order}
          onChange={(event) => {
            onChange({ order: event.target.value });
          }}
        >
          {ORDERS.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <details className={styles.filters}>
        <summary className={styles.summary}>
          {count === 0 ? "Filter" : `Filter (${count.toString()} on)`}
        </summary>
        <Filters search={search} onChange={onChange} />
      </details>
    </form>
  );
}
