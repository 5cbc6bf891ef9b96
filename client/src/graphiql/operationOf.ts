import { type DocumentNode, Kind, OperationTypeNode, parse } from "graphql";

/** Which operation of a text is meant. */
interface Operation {
  /** Null: the text's only one has no name. */
  operationName: string | null;
  isSubscription: boolean;
}

/** The operation of that name, or the first one of a text that has none of that name. */
export function operationOf(text: string, name: string | null | undefined): Operation {
  const operations = documentOf(text)?.definitions.filter(
    (each) => each.kind === Kind.OPERATION_DEFINITION,
  );
  // The server says what is wrong with a text that is no GraphQL.
  if (!operations) return { operationName: name ?? null, isSubscription: false };
  const meant = operations.find((each) => each.name?.value === (name ?? undefined)) ?? operations[0];
  return {
    operationName: meant?.name?.value ?? null,
    isSubscription: meant?.operation === OperationTypeNode.SUBSCRIPTION,
  };
}

function documentOf(text: string): DocumentNode | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
