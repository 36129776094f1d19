"""Agents that learn from an expert what to do, and not from rewards."""
