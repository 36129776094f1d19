"""Parts of lightning-bolts 0.7.0 on today's Lightning.

lightning-bolts was written for Lightning 1.x and asks pip for it, so it is installed by hand, with
:data:`INSTALL_COMMAND`. Three names that it imports have moved or gone in Lightning 2::

    from dlmodules.compat import bolts

    bolts.make_importable()
    from pl_bolts.optimizers import LinearWarmupCosineAnnealingLR

Nothing is changed before :func:`make_importable` is called.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dlmodules.errors import UserError

INSTALL_COMMAND = "pip install --no-deps lightning-bolts==0.7.0"

_MOVED_MODULES = {
    "pytorch_lightning.utilities.apply_func": "lightning_fabric.utilities.apply_func",
    "pytorch_lightning.utilities.cli": "pytorch_lightning.cli",
}


class _DataParallelStrategy:
    """The strategy that Lightning 2 removed. pl_bolts only asks whether the trainer's is one: it is not."""


def make_importable() -> None:
    """Let ``import pl_bolts`` and all of its modules import; further calls change nothing.

    The running process gets the two modules and the class that pl_bolts looks for under their old names;
    nothing is overwritten. Call it at the top of a script: then data loader workers that are spawned
    (macOS, Windows) make the call too.

    Raises:
        UserError: lightning-bolts is not installed.
    """
    if find_spec("pl_bolts") is None:
        raise UserError(f"lightning-bolts is not installed; install it with: {INSTALL_COMMAND}")
    for old, new in _MOVED_MODULES.items():
        sys.modules.setdefault(old, import_module(new))
    vars(import_module("pytorch_lightning.strategies")).setdefault("DataParallelStrategy", _DataParallelStrategy)


def batch_gradient_verification() -> type[Any]:
    """Return the class ``pl_bolts.callbacks.verification.batch_gradient.BatchGradientVerification``.

    ``BatchGradientVerification(network).check(example, sample_idx=i)`` is true where output ``i`` of a batch
    has a gradient to input ``i`` and to no other. It switches batch norm, which mixes samples while it
    trains, to evaluation. The network must have parameters and the batch two samples or more; where the
    example holds integer tensors, ``input_mapping`` must pick the float ones.

    Raises:
        UserError: lightning-bolts is not installed.
    """
    make_importable()
    verification: type[Any] = import_module("pl_bolts.callbacks.verification.batch_gradient").BatchGradientVerification
    return verification
