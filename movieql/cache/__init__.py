"""The cache port over aiocache, used as storage only."""
