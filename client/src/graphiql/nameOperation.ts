import { type DocumentNode, Kind, parse, TokenKind } from "graphql";

/**
 * The document's operation name, and its text with that name in it.
 *
 * GraphiQL takes a tab's title from the text alone, so an operation without a name gets
 * one written in: `fallback`. Null when the document has no operation (only fragments).
 */
export function nameOperation(
  text: string,
  fallback: string,
): { name: string; query: string } | null {
  const document = parseOrNull(text);
  // Shown as it is: the editor underlines the mistake better than an empty page would.
  if (!document) return { name: fallback, query: text };

  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (!operation) return null;
  if (operation.name) return { name: operation.name.value, query: text };

  const name = graphqlName(fallback);
  const start = operation.loc?.startToken;
  if (!start) return { name, query: text };
  const query =
    start.kind === TokenKind.BRACE_L
      ? `${text.slice(0, start.start)}query ${name} ${text.slice(start.start)}`
      : `${text.slice(0, start.end)} ${name}${text.slice(start.end)}`;
  return { name, query };
}

function parseOrNull(text: string): DocumentNode | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

/** File names may hold what names in GraphQL may not: `top-ten` becomes `top_ten`. */
function graphqlName(text: string): string {
  return text.replace(/[^_0-9A-Za-z]/g, "_").replace(/^(?=[0-9])/, "_");
}
