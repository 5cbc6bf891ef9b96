import styles from "./SessionBadge.module.css";
import { useSession, useSessionStore } from "./useSession";

/** Who is signed in, and the way out; nothing when nobody is. */
export function SessionBadge() {
  const store = useSessionStore();
  const { session } = useSession();
  if (!session) return null;
  return (
    <p className={styles.badge}>
      {session.name ? `Signed in as ${session.name}` : "Signed in"}
      <button
        type="button"
        className="link"
        onClick={() => {
          store.signOut();
        }}
      >
        Sign out
      </button>
    </p>
  );
}
