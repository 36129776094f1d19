"""Callbacks for a generator and its discriminator."""
