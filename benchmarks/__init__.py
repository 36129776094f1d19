"""Programs that measure scores and speeds, and the records that they leave: ``python -m benchmarks.run --list``."""
