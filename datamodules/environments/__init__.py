"""Gymnasium environments for agents, and their states."""
