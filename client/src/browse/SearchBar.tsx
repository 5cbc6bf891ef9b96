import { type Order, orderOf, ORDERS } from "./orders";
import styles from "./SearchBar.module.css";

interface Props {
  text: string;
  onText: (text: string) => void;
  order: Order;
  onOrder: (order: Order) => void;
}

const TITLE_CHARS_MAX = 100;

/** Where people say what they look for, and in which order. */
export function SearchBar({ text, onText, order, onOrder }: Props) {
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
        className={styles.field}
        aria-label="Search by title"
        placeholder="Search by title"
        autoComplete="off"
        maxLength={TITLE_CHARS_MAX}
        value={text}
        onChange={(event) => {
          onText(event.target.value);
        }}
      />
      <label className={styles.order}>
        Order
        <select
          className={styles.field}
          value={order.name}
          onChange={(event) => {
            onOrder(orderOf(event.target.value));
          }}
        >
          {ORDERS.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </form>
  );
}
