"""``sample``: from a checkpoint alone, new images or rows of a generative module or played episodes of an agent."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jsonargparse import ArgumentParser
from pytorch_lightning import LightningModule

from callbacks.adversaries.ema import GeneratorEMA
from callbacks.base.grids import Picture, image_grid
from dlmodules.checkpoints.loading import load_checkpoint, load_module
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, Samples, SamplesRows, Traverses
from dlmodules_cli.episodes import play
from dlmodules_cli.messages import OneLineErrors
from dlmodules_cli.traversal import FORM, Traversal, parse_traversal

NUM = 64


class SampleParser(OneLineErrors, ArgumentParser):
    """The parser of ``sample``."""


def sample(args: list[str]) -> None:
    """Run ``sample`` with command-line arguments ``args``."""
    parser = SampleParser(prog="sample", description=__doc__)
    parser.add_argument("--ckpt_path", type=str, required=True, help="Checkpoint of a run.")
    parser.add_argument("--output", type=str, required=True, help="Folder for the picture and the raw samples.")
    parser.add_argument(
        "--num",
        type=int | None,
        default=None,
        help=f"Number of images, of rows, or of episodes of an agent (default: {NUM}); with --traverse, rows of images"
        " (default: one for each class, or one).",
    )
    parser.add_argument("--label", type=int | None, default=None, help="Class to sample, for a conditional module.")
    parser.add_argument(
        "--traverse", type=str | None, default=None, help=f"Change one code along each row of images: {FORM}."
    )
    parser.add_argument("--seed", type=int, default=0, help="Seed of the noise: the same seed gives the same images.")
    parser.add_argument("--ema", type=bool, default=True, help="Use averaged weights where the checkpoint has them.")
    parser.add_argument(
        "--imports",
        type=list[str],
        default=[],
        help="Modules to import first, where the module is your own class.",
    )
    chosen = parser.parse_args(args)
    if chosen.num is not None and chosen.num < 1:
        raise UserError(f"--num is {chosen.num}; at least 1 is needed")
    num = NUM if chosen.num is None else chosen.num
    traversal = None if chosen.traverse is None else parse_traversal(chosen.traverse)
    import_own(chosen.imports)
    module, checkpoint = load_trained(chosen.ckpt_path, chosen.ema)
    output = Path(chosen.output)
    try:
        output.mkdir(parents=True, exist_ok=True)
        if traversal is not None:
            _sample_traversal(module, output, traversal, chosen.num, chosen.label, chosen.seed)
        elif isinstance(module, Acts):
            play(module, checkpoint, output, num, chosen.seed)
        elif isinstance(module, Samples):
            _sample_images(module, output, num, chosen.label, chosen.seed)
        elif isinstance(module, SamplesRows):
            _sample_rows(module, output, num, chosen.label, chosen.seed)
        else:
            raise UserError(f"{type(module).__name__} neither samples nor acts")
    except OSError as error:
        raise UserError(f"cannot write to {output}: {error.strerror}") from error


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


def import_own(names: list[str]) -> None:
    """Import the modules that ``--imports`` names, from the present folder too."""
    sys.path.insert(0, os.getcwd())  # the installed command has only its own folder there
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UserError(f"--imports {name}: {error}") from error


def _sample_images(module: Any, output: Path, num: int, label: int | None, seed: int) -> None:
    labels = None if label is None else torch.full((num,), _checked(module, label))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        images = module.sample(num, labels=labels, generator=generator).float().cpu()
    arrays = {"samples": images.numpy()} | ({} if labels is None else {"labels": labels.numpy()})
    where = _write(output, image_grid(images), arrays)
    print(f"{num} samples: {where} (array `samples`, {tuple(images.shape)}, in [0, 1])")


def _sample_traversal(
    module: Any, output: Path, traversal: Traversal, num: int | None, label: int | None, seed: int
) -> None:
    if not isinstance(module, Traverses):
        raise UserError(f"{type(module).__name__} has no codes to change: leave --traverse out")
    num_classes = getattr(module, "num_classes", None)
    labels = None
    if label is not None:
        labels = torch.full((num or 1,), _checked(module, label))
    elif num_classes is not None:
        labels = torch.arange(num or num_classes) % num_classes
    rows = (num or 1) if labels is None else len(labels)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        images = (
            module.traverse(traversal.name, traversal.values, rows, labels=labels, generator=generator).float().cpu()
        )
    names = None if labels is None else [str(of_row) for of_row in labels.tolist()]
    arrays = {"samples": images.numpy(), "values": traversal.values.numpy()}
    arrays |= {} if labels is None else {"labels": labels.numpy()}
    where = _write(output, image_grid(images.flatten(0, 1), traversal.steps, row_labels=names), arrays)
    print(
        f"{traversal.name} from {traversal.low:g} to {traversal.high:g}: {where} (array `samples`,"
        f" {tuple(images.shape)}: rows, values, images in [0, 1])"
    )


def _checked(module: Any, label: int) -> int:
    """Return ``label`` if it is a class of the module."""
    num_classes = getattr(module, "num_classes", None)
    if num_classes is None:
        raise UserError(f"{type(module).__name__} is not conditional: leave --label out")
    if not 0 <= label < num_classes:
        raise UserError(f"--label is {label}; this {type(module).__name__} knows 0..{num_classes - 1}")
    return label


def _write(output: Path, grid: Picture, arrays: dict[str, Any]) -> str:
    """Write picture and arrays; return where they lie, for a person."""
    from PIL import Image

    picture, raw = output / "samples.png", output / "samples.npz"
    Image.fromarray(grid).save(picture)
    np.savez_compressed(raw, **arrays)
    return f"{picture} and {raw}"


def _sample_rows(module: Any, output: Path, num: int, label: int | None, seed: int) -> None:
    if label is not None:
        raise UserError(f"{type(module).__name__} is not conditional: leave --label out")
    with torch.no_grad():
        rows = module.sample_rows(num, generator=torch.Generator().manual_seed(seed)).cpu()
    np.savez_compressed(output / "samples.npz", samples=rows.numpy())
    print(f"{num} rows: {output / 'samples.npz'} (array `samples`, {tuple(rows.shape)})")
