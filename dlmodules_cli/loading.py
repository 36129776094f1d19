"""What the commands on a checkpoint share: the module that is rebuilt from it alone."""

from typing import Any

from pytorch_lightning import LightningModule

from callbacks.base.ema import EMA
from dlmodules.checkpoints.loading import load_checkpoint, load_module
from dlmodules.errors import UserError
from dlmodules_cli.class_paths import import_named


def import_own(names: list[str]) -> None:
    """Import the modules that ``--imports`` names."""
    for name in names:
        try:
            import_named(name)
        except UserError as error:
            raise UserError(f"--imports {name}: {error}") from error


def load_trained(path: str, ema: bool) -> tuple[LightningModule, dict[str, Any]]:
    """Rebuild the module of a checkpoint, with its averaged weights if ``ema`` asks for them and it has some.

    Returns:
        The module, in evaluation mode on the CPU, and the checkpoint.
    """
    checkpoint = load_checkpoint(path)
    module = load_module(path, checkpoint)
    if ema and EMA.load_averaged(module, checkpoint):
        print("using averaged weights")
    return module, checkpoint
