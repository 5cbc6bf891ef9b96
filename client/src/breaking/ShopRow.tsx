import styles from "./BreakingPanel.module.css";
import type { Knob, Knobs, Mode, Shop } from "./knobs";

interface Props {
  shop: Shop;
  knobs: Knobs;
  onTurn: (knob: Knob) => void;
}

/** What a shop does, as a sentence of which two parts can be chosen. */
export function ShopRow({ shop, knobs, onTurn }: Props) {
  const endpoints = knobs.modes.find(({ mode }) => mode === shop.mode)?.endpoints ?? [];
  return (
    <li className={styles.shop}>
      <span className={styles.name}>{shop.name}</span>
      <select
        className="field"
        aria-label={`What ${shop.name} does`}
        value={shop.mode}
        onChange={({ target }) => {
          onTurn(knobFor(target.value, shop.endpoint, knobs.modes));
        }}
      >
        <Group label="Common" modes={knobs.modes.filter(({ common }) => common)} />
        <Group label="Rarer" modes={knobs.modes.filter(({ common }) => !common)} />
      </select>
      <select
        className="field"
        aria-label={`Which calls of ${shop.name}`}
        value={shop.endpoint}
        disabled={shop.mode === WELL}
        onChange={({ target }) => {
          onTurn({ mode: shop.mode, endpoint: target.value });
        }}
      >
        {knobs.endpoints
          .filter(({ endpoint }) => endpoints.includes(endpoint))
          .map(({ endpoint, words }) => (
            <option key={endpoint} value={endpoint}>
              {words}
            </option>
          ))}
      </select>
    </li>
  );
}

const WELL = "ok";

function Group({ label, modes }: { label: string; modes: readonly Mode[] }) {
  return (
    <optgroup label={label}>
      {modes.map(({ mode, words }) => (
        <option key={mode} value={mode}>
          {words}
        </option>
      ))}
    </optgroup>
  );
}

/** The knob of a mode, for the same calls as before where the mode can be for these. */
function knobFor(mode: string, endpoint: string, modes: readonly Mode[]): Knob {
  const endpoints = modes.find((each) => each.mode === mode)?.endpoints ?? [];
  const [first = endpoint] = endpoints;
  return { mode, endpoint: mode !== WELL && endpoints.includes(endpoint) ? endpoint : first };
}
