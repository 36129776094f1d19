"""What a checkpoint holds, and how a module comes back from it."""
