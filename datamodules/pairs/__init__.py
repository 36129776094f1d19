"""Data modules of images of two domains."""
