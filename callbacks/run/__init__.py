"""Callbacks of a run: checkpoints, loggers, progress, speed."""
