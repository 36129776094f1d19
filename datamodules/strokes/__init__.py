"""Data modules of handwriting as the pen's movements."""
