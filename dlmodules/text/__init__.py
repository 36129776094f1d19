"""Text: vectors of words, and what reads and writes texts."""
