"""Get samples, codes or images from a module between two training steps, without side effects."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from callbacks.base.averages import averaged_weights
from callbacks.base.conditions import conditions
from dlmodules.protocols import Decodes, Encodes

BATCH = 256
"""Images or codes that are given to a module at once."""


@contextmanager
def undisturbed(
    trainer: Trainer, pl_module: LightningModule, seed: int = 0, averaged: bool = True
) -> Iterator[torch.Generator]:
    """Ask a module for something between two training steps without a trace.

    Within, the module is in evaluation mode, has its averaged weights (or with ``averaged`` false those that are
    trained) and the trainer's precision, and no gradient is recorded. All random number generators start from
    ``seed``; afterwards they, and the mode of each submodule, are what they were.

    Yields:
        A generator on the module's device, seeded with ``seed``, to be given to ``sample``.
    """
    modes = [(module, module.training) for module in pl_module.modules()]
    weights = averaged_weights(trainer, pl_module) if averaged else nullcontext()
    with isolate_rng(), torch.no_grad(), weights:
        torch.manual_seed(seed)
        pl_module.eval()
        try:
            with trainer.precision_plugin.forward_context():
                yield torch.Generator(device=pl_module.device).manual_seed(seed)
        finally:
            for module, mode in modes:
                module.training = mode


def codes_of(trainer: Trainer, pl_module: LightningModule, images: Tensor, labels: Tensor | None) -> Tensor:
    """The codes ``(B, ...)`` float32 of images on the module's device, encoded 256 at a time.

    A module that has ``encode`` is to be given, and to be asked within :func:`undisturbed`.
    """
    assert isinstance(pl_module, Encodes)
    given = zip(*(torch.split(part, BATCH) for part in (images, *conditions(pl_module, labels))), strict=True)
    convert = trainer.precision_plugin.convert_input
    return torch.cat([pl_module.encode(convert(part), *rest) for part, *rest in given]).float()


def images_of(trainer: Trainer, pl_module: LightningModule, codes: Tensor, labels: Tensor | None) -> Tensor:
    """The images ``(B, C, H, W)`` float32 of codes on the module's device, decoded 256 at a time.

    A module that has ``decode`` is to be given, and to be asked within :func:`undisturbed`.
    """
    assert isinstance(pl_module, Decodes)
    given = zip(*(torch.split(part, BATCH) for part in (codes, *conditions(pl_module, labels))), strict=True)
    convert = trainer.precision_plugin.convert_input
    return torch.cat([pl_module.decode(convert(part), *rest) for part, *rest in given]).float()
