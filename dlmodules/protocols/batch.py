"""The batch of a supervised or a generative module's training step."""

from torch import Tensor

Batch = tuple[Tensor, Tensor]
"""Inputs ``(B, ...)`` and what belongs to each of them: labels, targets, attributes.

The loaders of ``datamodules`` pass batches of any structure. One of another structure gets a name of its own here with
the first family whose training steps are given it.
"""
