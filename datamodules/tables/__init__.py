"""Data modules of rows of numbers and categories."""
