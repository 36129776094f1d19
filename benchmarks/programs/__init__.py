"""Programs that measure: each has a function ``measure(row, seed, context)`` that returns a record."""
