"""What the commands on a checkpoint share: its options, and the module that is rebuilt from it alone."""

import importlib
from typing import Any

from jsonargparse import ArgumentParser
from pytorch_lightning import LightningModule

from callbacks.adversaries.ema import GeneratorEMA
from dlmodules.checkpoints.loading import load_checkpoint, load_module
from dlmodules.errors import UserError


def add_ckpt_path(parser: ArgumentParser) -> None:
    """Add the option ``--ckpt_path``."""
    parser.add_argument("--ckpt_path", type=str, required=True, help="Checkpoint of a run.")


def add_ema(parser: ArgumentParser) -> None:
    """Add the option ``--ema``."""
    parser.add_argument("--ema", type=bool, default=True, help="Use averaged weights where the checkpoint has them.")


def add_imports(parser: ArgumentParser) -> None:
    """Add the option ``--imports``."""
    parser.add_argument(
        "--imports",
        type=list[str],
        default=[],
        help="Modules to import first, where the module is your own class.",
    )


def import_own(names: list[str]) -> None:
    """Import the modules that ``--imports`` names."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UserError(f"--imports {name}: {error}") from error


def load_trained(path: str, ema: bool) -> tuple[LightningModule, dict[str, Any]]:
    """Rebuild the module of a checkpoint, with its averaged weights if ``ema`` asks for them and it has some.

    Returns:
        The module, in evaluation mode on the CPU, and the checkpoint.
    """
    checkpoint = load_checkpoint(path)
    module = load_module(path, checkpoint)
    if ema and GeneratorEMA.load_averaged(module, checkpoint):
        print("using the averaged weights of the generator")
    return module, checkpoint
