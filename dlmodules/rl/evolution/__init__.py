"""Agents that learn by populations: many policies are tried, and the better ones decide what is tried next."""
