"""Archives in the data folder, and the arguments by which a run uses their data."""
