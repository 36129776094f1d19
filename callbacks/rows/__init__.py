"""Callbacks for samples of rows."""
