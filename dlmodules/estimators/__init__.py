"""Estimators: those of scikit-learn, as modules."""
