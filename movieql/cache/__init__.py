"""The cache port: bounded memory of our own, or a Redis by aiocache as storage only."""
