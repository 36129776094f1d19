"""Compatibility with packages for earlier versions of Lightning."""
