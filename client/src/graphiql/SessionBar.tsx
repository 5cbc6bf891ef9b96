import { ROUTES } from "../app/routes";
import { SessionBadge } from "../session/SessionBadge";
import { SignIn } from "../session/SignIn";
import { useSession } from "../session/useSession";
import styles from "./SessionBar.module.css";

/** What stands above GraphiQL: the way back, and who its operations are run as. */
export function SessionBar() {
  const { session, reason } = useSession();
  return (
    <header className={styles.bar}>
      <strong>movieql</strong>
      <a href={ROUTES.browse}>All movies</a>
      {session ? (
        <SessionBadge />
      ) : (
        <details className={styles.disclosure} open={reason !== null}>
          <summary className={styles.summary}>Sign in</summary>
          <div className={styles.form}>
            <SignIn purpose="run what needs a token: mutations and exports" />
          </div>
        </details>
      )}
    </header>
  );
}
