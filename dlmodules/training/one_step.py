"""Make one ``training_step`` of manual optimization count as one ``global_step``.

Lightning counts every optimizer step, so with a discriminator and a generator ``max_steps=100``
ends after 50 batches, and an agent that does 64 updates an iteration is at its end in a moment.
Checkpoint cadence and schedulers go wrong with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pytorch_lightning import LightningModule


def placeholder_optimizer() -> torch.optim.Optimizer:
    """Return an optimizer without parameters, for what learns without one: Lightning counts training steps by it."""
    return torch.optim.SGD([torch.zeros(0)], lr=0.0)


def _silent() -> None:
    pass


@contextmanager
def one_global_step(module: LightningModule) -> Iterator[None]:
    """Count what happens inside as a single step, with any number of optimizer steps, none included.

    The hooks ``_on_before_step`` and ``_on_after_step`` of ``LightningOptimizer`` are private to
    Lightning, which sets them anew before each training step; ``tests/dlmodules/test_one_step.py``
    fails when they move.
    """
    found = module.optimizers()
    optimizers = found if isinstance(found, list) else [found]
    count_ready, count_completed = optimizers[0]._on_before_step, optimizers[0]._on_after_step
    for optimizer in optimizers:
        optimizer._on_before_step = _silent
        optimizer._on_after_step = _silent
    count_ready()
    yield
    count_completed()
