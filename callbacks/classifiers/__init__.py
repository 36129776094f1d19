"""Callbacks for classifiers and regressions."""
