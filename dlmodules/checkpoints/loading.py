"""Read checkpoints, and rebuild modules from them, without running code from the file."""

import importlib
import sys
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule

from dlmodules.checkpoints.own_networks import require_own_networks
from dlmodules.errors import UserError, first_line

OWN_PACKAGE = __name__.partition(".")[0]


def read_file(path: str | Path, map_location: Any = "cpu", mmap: bool = False) -> Any:
    """Read a torch file of tensors and plain values with ``weights_only=True``; nothing in it is run.

    With ``mmap`` the tensors lie in the file until they are used.

    Raises:
        UserError: it is missing, truncated, or holds code.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no checkpoint {path}")
    try:
        return torch.load(path, map_location=map_location, weights_only=True, mmap=mmap)
    except Exception as error:  # damage shows as whatever it happens to cause: EOFError, RuntimeError, KeyError ...
        raise UserError(f"{path} is no readable checkpoint: it is truncated, or holds code") from error


def load_checkpoint(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint of a Lightning module.

    Raises:
        UserError: it is missing, truncated, holds code, or is no checkpoint of a Lightning module.
    """
    checkpoint = read_file(path, map_location)
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise UserError(f"{path} is a torch file but no Lightning checkpoint: it has no state_dict")
    return checkpoint


def load_module(path: str | Path, checkpoint: dict[str, Any] | None = None) -> LightningModule:
    """Rebuild the module of a checkpoint from its hyperparameters and weights, in evaluation mode on the CPU.

    Args:
        path: the checkpoint.
        checkpoint: its content, where it was read already.

    Raises:
        UserError: the checkpoint cannot be read, does not name its class, does not fit it, or needs a network that it
            cannot rebuild.
    """
    checkpoint = load_checkpoint(path) if checkpoint is None else checkpoint
    named = checkpoint.get("hyper_parameters", {}).get("_class_path")
    if not isinstance(named, str):
        raise UserError(f"{path} does not say which module it is of; it was not made by a module of this package")
    cls = module_class(named, f"{path} is of")
    require_own_networks(cls, checkpoint)
    try:
        loaded = cls.load_from_checkpoint(path, map_location="cpu", weights_only=True)
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        raise UserError(f"{path} does not fit {cls.__name__}: {first_line(error)[:200]}") from error
    return loaded.eval()


def module_class(class_path: str, context: str) -> type[LightningModule]:
    """Return the class that a file names. ``context`` begins the error message.

    Only this package is imported on the word of a file; any other class must be imported already.
    """
    module_name, _, class_name = class_path.rpartition(".")
    if module_name.partition(".")[0] == OWN_PACKAGE:
        try:
            importlib.import_module(module_name)
        except ImportError as error:
            raise UserError(f"{context} {class_path}, which this version of the package does not have") from error
    found = getattr(sys.modules.get(module_name), class_name, None)
    if isinstance(found, type) and issubclass(found, LightningModule):
        return found
    raise UserError(
        f"{context} {class_path}, which is no module known here: import its package first (`sample` does by --imports)"
    )
