"""The schema, and its text."""

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from movieql.api import types
from movieql.api.queries import Query


def build_schema() -> strawberry.Schema:
    """Return the schema; building it is not free, so it is done once per composition."""
    return strawberry.Schema(query=Query, types=[types.Movie], config=StrawberryConfig())


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return what graphql-core executes."""
    core: GraphQLSchema = schema._schema  # noqa: SLF001  # Strawberry has no public way to it
    return core


def schema_text(schema: strawberry.Schema) -> str:
    """Return the schema in SDL, as it stands in `schema/schema.graphql`."""
    return schema.as_str().strip() + "\n"
