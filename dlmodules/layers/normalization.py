"""Batch normalization with Keras' settings."""

from torch import nn


def keras_batch_norm(channels: int) -> nn.BatchNorm2d:
    """Return a batch normalization with Keras' epsilon of 0.001 and its momentum of 0.99, which torch calls 0.01."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
