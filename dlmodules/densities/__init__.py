"""Densities: distributions that are fitted by counting, as a box or tables of frequencies."""
