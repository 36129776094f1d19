"""What systems of sequences share: tokenizers, decoding, generation."""
