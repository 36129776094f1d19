"""``dashboard``: a W&B workspace for the runs of a family of systems."""
