"""Search in games: trees, players, and matches between them."""
