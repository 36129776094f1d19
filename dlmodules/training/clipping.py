"""Clipping of gradients: of all weights together, by modules that make their own optimizer steps, and on the way."""

from collections.abc import Iterable, Sequence

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from dlmodules.errors import UserError


def check_max_norm(max_norm: float | None, argument: str) -> None:
    """Raise UserError unless ``max_norm``, called ``argument``, is None or above 0: 0 would stop all learning."""
    if max_norm is not None and not max_norm > 0:
        raise UserError(f"{argument} is {max_norm}; it must be greater than 0, or null not to clip")


def limit_gradient(x: Tensor, limit: Tensor) -> None:
    """Let the gradient that reaches ``x`` be clipped to ``[-limit, limit]``, number by number, before it goes on."""
    x.register_hook(lambda gradient: gradient.clamp(-limit, limit))  # type: ignore[no-untyped-call]


def loss_scale(module: LightningModule) -> float:
    """Return by how much a loss is multiplied before its gradient is taken: 1 but under ``16-mixed``."""
    try:
        plugin = module.trainer.precision_plugin
    except RuntimeError:  # not attached: the step is called by hand, as in a test
        return 1.0
    scaler = getattr(plugin, "scaler", None)
    return 1.0 if scaler is None else float(scaler.get_scale())


def clip_gradients(module: LightningModule, parameters: Iterable[nn.Parameter], max_norm: float) -> None:
    """Shorten the gradient of all ``parameters`` together to the length ``max_norm``, in place, where it is longer.

    Under ``16-mixed`` gradients are multiples of what they stand for until the optimizer's step divides them again; so
    is the limit then.
    """
    limit = max_norm * loss_scale(module)
    parameters = list(parameters)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if all(type(gradient) is Tensor and gradient.is_cpu for gradient in gradients):
        _clip_on_cpu(gradients, limit)
    else:
        clip_grad_norm_(parameters, limit)


def _clip_on_cpu(gradients: Sequence[Tensor], limit: float) -> None:
    """Do what ``clip_grad_norm_`` does, to the bit, in a third of the time where networks are small.

    Short gradients are left alone; on a GPU to ask whether they are would wait for it.
    """
    if gradients:
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
        factor = limit / (norm + 1e-6)
        if factor < 1:
            for gradient in gradients:
                gradient.mul_(factor)
