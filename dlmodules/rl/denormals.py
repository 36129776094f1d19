"""Keep an optimizer's moments out of the range where CPUs are slow."""

import torch
from torch.nn import functional as F

# Far below what can change a weight, and so far above denormal numbers (1e-38) that Adam's first
# moment, which shrinks by a tenth an update, does not reach them within FLUSH_EVERY updates.
SMALLEST = 1e-25
FLUSH_EVERY = 128


@torch.no_grad()
def flush_moments(optimizer: torch.optim.Optimizer) -> None:
    """Set to zero the moments smaller than ``SMALLEST``.

    The moments of a weight whose unit is never active halve for ever. As denormal numbers they slow
    an Adam step down. ``torch.set_flush_denormal`` would do it for the calling thread only.
    """
    for state in optimizer.state.values():
        for moment in state.values():
            if isinstance(moment, torch.Tensor) and moment.is_floating_point() and moment.dim() > 0:
                moment.copy_(F.hardshrink(moment, SMALLEST))
