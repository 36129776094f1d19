"""``play``: games against a player, or between two, in the terminal."""
