"""Blocks that two or more families use."""
