"""Relay's interface of everything that has an id."""

import strawberry


@strawberry.interface(description="Anything with an id; ids are unique over all types.")
class Node:
    """An object that `node` finds; see https://relay.dev/graphql/objectidentification.htm."""

    id: strawberry.ID
