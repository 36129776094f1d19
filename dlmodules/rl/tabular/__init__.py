"""Agents whose values are a table: one row a state, one column an action."""
