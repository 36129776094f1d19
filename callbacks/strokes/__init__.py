"""Callbacks that draw handwriting."""
