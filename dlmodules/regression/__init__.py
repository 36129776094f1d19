"""Predictors of a number."""
