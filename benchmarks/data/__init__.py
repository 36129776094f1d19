"""Archives in the folder of data, and the arguments by which a run takes its data from them."""
