"""Commands that talk to a running server by GraphQL over HTTP, as any client does."""
