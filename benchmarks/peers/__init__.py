"""Programs of other frameworks, measured for comparison."""
