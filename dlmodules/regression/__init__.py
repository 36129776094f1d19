"""Regression: predictors of a number."""
