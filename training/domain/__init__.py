"""Subject of a request: training pairs, and the held-out requests."""
