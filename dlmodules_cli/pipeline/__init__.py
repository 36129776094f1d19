"""``pipeline``: stages that are trained one after another, each with the checkpoints of those before it."""
