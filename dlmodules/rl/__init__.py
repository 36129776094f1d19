"""Reinforcement learning agents."""
