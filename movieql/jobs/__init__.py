"""The queue of exports on RQ, its workers, and what they share in Redis."""
