"""Helpers of sampling: the device of the random numbers, labels, openings of games."""
