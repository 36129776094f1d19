"""Modules that another one was given by their checkpoint, and keeps whole in its own."""

from typing import Any

from torch import nn

from dlmodules.checkpoints.hparams import portable_network
from dlmodules.checkpoints.loading import load_module


def frozen_module(given: str | nn.Module | None) -> nn.Module | None:
    """Return a module, or that of a checkpoint, without gradients and in evaluation mode; None stays None.

    Raises:
        UserError: the checkpoint cannot be read.
    """
    module = load_module(given) if isinstance(given, str) else given
    return None if module is None else module.requires_grad_(False).eval()


def keep_whole(checkpoint: dict[str, Any], name: str, module: nn.Module | None) -> None:
    """Let a checkpoint rebuild the argument ``name`` by itself, where that was the path of another checkpoint.

    Its weights are among those of the module that was given it. A module that cannot be rebuilt from its class stays
    the path.
    """
    hparams = checkpoint.get("hyper_parameters", {})
    if module is not None and isinstance(hparams.get(name), str):
        try:
            hparams[name] = portable_network(module)
        except ValueError:
            return
