import { type SyntheticEvent, useId, useState } from "react";

import { useFeatures } from "../app/features";
import { logIn, LogInError } from "./logIn";
import styles from "./SignIn.module.css";
import { sessionOfToken } from "./token";
import { useSession, useSessionStore } from "./useSession";

/** What people sign in with; `purpose` says what for: `order an export`. */
export function SignIn({ purpose }: { purpose: string }) {
  const store = useSessionStore();
  const { reason } = useSession();
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isTokenChosen, setTokenChosen] = useState(false);
  const hasPasswords = useFeatures().login;
  const hasToken = isTokenChosen || !hasPasswords;
  const told = error ?? reason;

  async function signIn(form: FormData): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      store.signIn(
        hasToken
          ? sessionOfToken(textOf(form, "token"))
          : await logIn(textOf(form, "username"), textOf(form, "password")),
      );
    } catch (failure) {
      if (!(failure instanceof LogInError)) throw failure;
      setError(failure.message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      className={styles.form}
      aria-label="Sign in"
      onSubmit={(event: SyntheticEvent<HTMLFormElement>) => {
        event.preventDefault();
        void signIn(new FormData(event.currentTarget));
      }}
    >
      <p className={styles.purpose}>Sign in to {purpose}.</p>
      <p className={styles.note}>It holds until this page is loaded anew.</p>
      {hasToken ? (
        <Field name="token" label="Token of your identity provider" type="password" />
      ) : (
        <>
          <Field name="username" label="Name" type="text" autoComplete="username" />
          <Field name="password" label="Password" type="password" autoComplete="current-password" />
        </>
      )}
      {told && (
        <p className="fault" role="alert">
          {told}
        </p>
      )}
      <div className={styles.actions}>
        <button type="submit" className="button primary" disabled={isBusy}>
          {isBusy ? "Signing in…" : "Sign in"}
        </button>
        {hasPasswords && (
          <button
            type="button"
            className="link"
            onClick={() => {
              setError(null);
              setTokenChosen(!isTokenChosen);
            }}
          >
            {isTokenChosen ? "Use name and password" : "Use a token instead"}
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldProps {
  name: string;
  label: string;
  type: "text" | "password";
  autoComplete?: string;
}

function Field({ name, label, type, autoComplete = "off" }: FieldProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field"
        name={name}
        type={type}
        autoComplete={autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        required
      />
    </div>
  );
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
