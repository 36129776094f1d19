"""Callbacks of modules that embed words."""
