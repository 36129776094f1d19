"""Distributions that are fitted by counting: a box, tables of frequencies."""
