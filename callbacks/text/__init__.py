"""Callbacks of text: what a language model writes."""
