import type { ReactNode } from "react";

interface Props {
  /** What the browser calls the page. */
  title: string;
  /** What is shown, when that is more than the title. */
  children?: ReactNode;
}

/** The heading of a page, and its name in the browser's tab. */
export function Heading({ title, children }: Props) {
  return (
    <>
      <title>{`${title} · movieql`}</title>
      <h1 className="heading">{children ?? title}</h1>
    </>
  );
}
