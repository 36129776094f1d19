"""Callbacks for agents."""
