"""When a check may read values of a tensor.

To read a value from an accelerator is to wait until it has computed it, while it could be given more work.
So a check reads

- at any batch where the tensor lies in the memory of the CPU,
- else at the first batch, where most mistakes show,
- and losses, which may go wrong at any step, where the loop waits anyhow: at logging steps and before weights are
  saved (``dlmodules.training.finite``).
"""

from torch import Tensor


def may_read(x: Tensor, first: bool = False) -> bool:
    """Whether a check may read values of ``x``; ``first`` says that it is of the first batch."""
    return first or x.device.type == "cpu"
