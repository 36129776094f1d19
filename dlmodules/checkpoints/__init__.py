"""The content of a checkpoint, and how a module is rebuilt from it."""
