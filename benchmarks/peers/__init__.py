"""Programs of other frameworks, which are measured beside ours."""
