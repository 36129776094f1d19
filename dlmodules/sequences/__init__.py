"""What several families know of sequences: words and their vectors, and how these are judged."""
