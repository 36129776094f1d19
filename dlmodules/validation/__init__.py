"""Checks of arguments and inputs: a mistake ends in one clear line."""
