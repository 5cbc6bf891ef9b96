"""The schema, and its text."""

from decimal import Decimal

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from movieql.api import types
from movieql.api.catalogue_types import CatalogueEntry
from movieql.api.export_errors import EXPORT_ERROR_TYPES
from movieql.api.export_mutations import ExportMutation
from movieql.api.export_queries import ExportQuery
from movieql.api.export_types import BIG_INT, BigInt
from movieql.api.mutation_errors import ERROR_TYPES
from movieql.api.mutations import MovieMutation
from movieql.api.queries import MovieQuery
from movieql.api.subscriptions import Subscription
from movieql.api.types import DECIMAL


@strawberry.type
class Query(MovieQuery, ExportQuery):
    """What can be asked."""


@strawberry.type
class Mutation(MovieMutation, ExportMutation):
    """What can be changed."""


def build_schema() -> strawberry.Schema:
    """Return the schema; building it is not free, so it is done once per composition."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[types.Movie, types.Provider, CatalogueEntry, *ERROR_TYPES, *EXPORT_ERROR_TYPES],
        config=StrawberryConfig(scalar_map={BigInt: BIG_INT, Decimal: DECIMAL}),
    )


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return what graphql-core executes."""
    core: GraphQLSchema = schema._schema  # noqa: SLF001  # Strawberry has no public way to it
    return core


def schema_text(schema: strawberry.Schema) -> str:
    """Return the schema in SDL, as it stands in `schema/schema.graphql`."""
    return schema.as_str().strip() + "\n"
