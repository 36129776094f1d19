"""Callbacks for latent spaces."""
