import { type ComponentType, lazy, type ReactNode, Suspense } from "react";
import { Link, useLocation } from "wouter";

import { SessionBadge } from "../session/SessionBadge";
import { Failure } from "./Failure";
import { useFeatures } from "./features";
import styles from "./Frame.module.css";
import { ROUTES } from "./routes";
import { useArrival } from "./useArrival";

const PAGES = [
  { name: "Movies", path: ROUTES.browse },
  { name: "Exports", path: ROUTES.exports },
  { name: "House catalogue", path: ROUTES.catalogue },
];

const BreakingPanel = lazy<ComponentType<{ url: string }>>(async () => {
  try {
    return { default: (await import("../breaking/BreakingPanel")).BreakingPanel };
  } catch {
    return { default: () => null }; // a toy: a page that works is worth more than a complaint
  }
});

/** What stands around every page. */
export function Frame({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const main = useArrival(path);
  const { knobs } = useFeatures();
  return (
    <>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <Link href={ROUTES.browse} className={styles.name}>
            movieql
          </Link>
          <span className={styles.claim}>every shop’s price, side by side</span>
          <nav className={styles.pages} aria-label="Pages">
            {PAGES.map((page) => (
              <Link
                key={page.path}
                href={page.path}
                className={styles.page}
                aria-current={path === page.path ? "page" : undefined}
              >
                {page.name}
              </Link>
            ))}
            {/* A page of its own: what it loads is loaded by those who open it. */}
            <a href={ROUTES.graphiql} className={styles.page}>
              GraphiQL
            </a>
          </nav>
          <SessionBadge />
          <Suspense fallback={null}>{knobs !== null && <BreakingPanel url={knobs} />}</Suspense>
        </div>
      </header>
      <main id="main" ref={main} className={styles.main} tabIndex={-1}>
        <Failure key={path}>
          <Suspense fallback={<p role="status">Loading the page…</p>}>{children}</Suspense>
        </Failure>
      </main>
    </>
  );
}
