"""Autoencoders: networks that squeeze an input into a code and restore it."""
