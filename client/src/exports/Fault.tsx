interface Props {
  /** What a field says that the text is of. */
  id?: string;
  /** Why something was not done; null: nothing is shown. */
  text: string | null;
}

/** Says, beside what a person did, why it was not done. */
export function Fault({ id, text }: Props) {
  if (text === null) return null;
  return (
    <p id={id} className="fault" role="alert">
      {text}
    </p>
  );
}
