"""Scikit-learn's estimators as modules."""
