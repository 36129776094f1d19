"""What a classifier says of an image, and where in the image it finds that."""

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from callbacks.base.grids import Picture, image_grid
from callbacks.base.overlays import above_maps
from callbacks.classifiers.predictions import class_probabilities
from callbacks.classifiers.saliency import saliency_maps
from dlmodules.errors import UserError
from dlmodules_cli.explore.pictures import image_tensor, on_ground
from dlmodules_cli.explore.subject import Subject

if TYPE_CHECKING:
    from PIL.Image import Image

TILE = 224
"""The image, and the map beside it, are at least that many pixels wide."""

INK = 0.1
"""What differs by more from the ground is part of the drawing."""

FILLED = 20 / 28
"""How much of the height or width a digit of MNIST fills."""


def classify(subject: Subject, image: "Image", fitted: bool) -> tuple[dict[str, float], Picture]:
    """Return the probability of each class, and what the network saw, beside it what supports the likeliest class.

    Args:
        subject: a classifier of images.
        image: any image; it becomes one of the module's.
        fitted: whether a grey drawing is first brought to the size and place of MNIST's digits.

    Raises:
        UserError: the module classifies no images, or nothing is drawn that could be fitted.
    """
    if not subject.classes:
        raise UserError(f"{subject.name} classifies no images")
    grey = subject.image_shape[0] == 1
    seen = fit_as_mnist(subject, image) if fitted and grey else image_tensor(subject, image)
    with subject.asked(), torch.enable_grad():
        if can_explain(subject):
            maps, logits = saliency_maps(subject.module, seen)
            height = seen.shape[2]
            both = above_maps(seen, maps)
            tiles = torch.cat([both[:, :, :height], both[:, :, -height:]])
        else:
            logits, tiles = subject.module(seen).detach(), seen
        (probabilities,) = class_probabilities(subject.module, logits.float()).tolist()
    return dict(zip(subject.classes, probabilities, strict=True)), image_grid(tiles, len(tiles), min_tile=TILE)


def can_explain(subject: Subject) -> bool:
    """Return whether captum is there, and the network has weights whose gradients can be followed."""
    weighted = any(True for _ in subject.module.parameters())
    return weighted and importlib.util.find_spec("captum") is not None


def fit_as_mnist(subject: Subject, image: "Image") -> Tensor:
    """Turn a drawing into an image ``(1, 1, H, W)`` as MNIST's are: 20 of 28 pixels long, its mass in the middle.

    Raises:
        UserError: nothing is drawn.
    """
    from PIL import Image

    _, height, width = subject.image_shape
    ground = 0 if subject.dark_ground else 255
    ink = np.abs(np.asarray(on_ground(subject, image), dtype=np.float32) - ground) / 255
    rows, columns = (np.flatnonzero((ink > INK).any(axis=axis)) for axis in (1, 0))
    if len(rows) == 0:
        raise UserError("draw something on the canvas, or drop an image there, first")
    cut = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = FILLED * min(height / cut.height, width / cut.width)
    size = (max(1, round(cut.width * scale)), max(1, round(cut.height * scale)))
    small = np.asarray(cut.resize(size, Image.Resampling.BOX), dtype=np.float32)
    placed = np.zeros((height, width), dtype=np.float32)
    top, left = (
        int(np.clip(round(whole / 2 - middle), 0, whole - part))
        for whole, part, middle in zip((height, width), small.shape, _middle(small), strict=True)
    )
    placed[top : top + size[1], left : left + size[0]] = small
    return torch.from_numpy(placed if subject.dark_ground else 1 - placed)[None, None].clamp(0, 1)


def _middle(ink: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> tuple[float, float]:
    """Return the centre of mass, in pixels from the top and the left edge."""
    total = float(ink.sum())
    down, across = (float((ink.sum(axis=1 - axis) * (np.arange(ink.shape[axis]) + 0.5)).sum()) for axis in (0, 1))
    return down / total, across / total
