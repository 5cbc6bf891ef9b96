import { Heading } from "../components/Heading";
import { SignIn } from "../session/SignIn";
import { useSession } from "../session/useSession";
import { ExportList } from "./ExportList";
import styles from "./ExportsPage.module.css";
import { OrderForm } from "./OrderForm";

/** Where an analyst orders files of all movies on offer, and gets them. */
export function ExportsPage() {
  const { session } = useSession();
  return (
    <>
      <Heading title="Exports" />
      <p className={styles.what}>
        An export is a CSV file of every movie that was on offer in a window of time, and of what
        each shop asked for it. It has what was seen then, even of a shop that does not answer now.
      </p>
      {session ? (
        // Whoever signs in next gets a page of their own.
        <div key={session.token} className={styles.parts}>
          <OrderForm />
          <ExportList />
        </div>
      ) : (
        <SignIn purpose="order and download exports" />
      )}
    </>
  );
}
