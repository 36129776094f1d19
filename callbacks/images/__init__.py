"""Callbacks for samples and reconstructions of images."""
