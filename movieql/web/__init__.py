"""HTTP: GraphQL over it, health, metrics, logs and static files."""
