"""Clipping of gradients by modules that make their own optimizer steps."""

from collections.abc import Iterable

from pytorch_lightning import LightningModule
from torch import nn
from torch.nn.utils import clip_grad_norm_

from dlmodules.errors import UserError


def check_max_norm(max_norm: float | None, argument: str) -> None:
    """Raise UserError unless ``max_norm``, called ``argument``, is None or above 0: 0 would stop all learning."""
    if max_norm is not None and not max_norm > 0:
        raise UserError(f"{argument} is {max_norm}; it must be greater than 0, or null not to clip")


def clip_gradients(module: LightningModule, parameters: Iterable[nn.Parameter], max_norm: float) -> None:
    """Shorten the gradient of all ``parameters`` together to the length ``max_norm``, in place, where it is longer.

    Under ``16-mixed`` gradients are multiples of what they stand for until the optimizer's step divides them again; so
    is the limit then.
    """
    scaler = getattr(module.trainer.precision_plugin, "scaler", None)
    clip_grad_norm_(parameters, max_norm * (1.0 if scaler is None else scaler.get_scale()))
