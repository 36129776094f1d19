"""Callbacks of text: what a language model writes, and what embedded words are near to."""
