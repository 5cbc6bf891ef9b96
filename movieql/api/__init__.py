"""The GraphQL schema: types, queries, loaders, and errors as callers see them."""
