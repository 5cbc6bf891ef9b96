import { Link } from "wouter";

import { Heading } from "../components/Heading";
import { ROUTES } from "./routes";

/** What an address leads to that is none of ours. */
export function NotFoundPage() {
  return (
    <>
      <Heading title="There is no such page" />
      <p>
        <Link href={ROUTES.browse}>See all movies</Link>
      </p>
    </>
  );
}
