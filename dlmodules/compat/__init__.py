"""Bridges to packages that stayed behind."""
