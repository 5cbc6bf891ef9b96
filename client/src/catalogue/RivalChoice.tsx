import { movieWords } from "../words/entry";
import { Conflict } from "./Conflict";
import { baseOf, type Rival } from "./editing";
import { Gone } from "./Gone";
import { NearDuplicates } from "./NearDuplicates";
import type { Form } from "./useEditing";

interface Props {
  form: Form;
  rival: Rival;
  /** Whether somebody is signed in. */
  canSave: boolean;
  /** What was entered is given up, and there is nothing in its place. */
  onLeave: () => void;
}

const DISCARDED = "Yours is discarded: this is what is saved";

/** What to choose when somebody else came between. */
export function RivalChoice({ form, rival, canSave, onLeave }: Props) {
  const { editing, keep, take } = form;
  if (rival.how === "gone") {
    return (
      <Gone
        movie={movieWords(editing.identity)}
        canSave={canSave}
        onAdd={() => {
          keep(editing.draft);
        }}
        onDiscard={onLeave}
      />
    );
  }
  if (rival.how === "near") {
    return (
      <NearDuplicates
        movie={movieWords(editing.identity)}
        entries={rival.entries}
        canSave={canSave}
        onSame={(entry) => {
          form.meet(entry, "existed");
        }}
        onAnother={form.addBeside}
        onBack={form.back}
      />
    );
  }
  return (
    <Conflict
      key={rival.theirs.version}
      how={rival.how}
      before={baseOf(editing)}
      mine={editing.draft}
      theirs={rival.theirs}
      canSave={canSave}
      onSave={keep}
      onDiscard={() => {
        take(rival.theirs, DISCARDED);
      }}
    />
  );
}
