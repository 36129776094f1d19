"""The losses of ChauffeurNet: of what it plans, and of what it plans to drive over.

K is the number of waypoints; a map has H x W cells. Each function returns one number for each of the B examples.
"""

from torch import Tensor
from torch.nn import functional as F


def waypoint_loss(logits: Tensor, cells: Tensor) -> Tensor:
    """Cross-entropy of the cell in which the car is at each step, ``(B,)``.

    Args:
        logits: of a softmax over the cells of each step, ``(B, K, H, W)``.
        cells: the number ``row * W + column`` of each, ``(B, K)`` int64.
    """
    steps = F.cross_entropy(logits.flatten(2).transpose(1, 2), cells, reduction="none")
    return steps.mean(1)


def map_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of maps ``(B, ..., H, W)``, a mean over cells and steps: box, road and other cars; ``(B,)``.

    ``logits`` are those of a sigmoid in each cell, ``target`` lies in [0, 1].
    """
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).mean(1)


def distance_loss(found: Tensor, target: Tensor) -> Tensor:
    """Absolute error of speeds, headings and places within a cell ``(B, K, ...)``, a mean over all: ``(B,)``."""
    return (found - target).abs().flatten(1).mean(1)


def collision_loss(box: Tensor, cars: Tensor) -> Tensor:
    """Overlap of the planned box with the cars that will be there, a mean over cells and steps: ``(B,)``.

    Args:
        box: how likely the car covers a cell, ``(B, K, H, W)`` in [0, 1].
        cars: the part of it that other cars cover, ``(B, K, H, W)`` in [0, 1].
    """
    return (box * cars).flatten(1).mean(1)


def outside_loss(box: Tensor, allowed: Tensor) -> Tensor:
    """What of the planned box ``(B, K, H, W)`` lies outside of where it may be, a mean over cells and steps: ``(B,)``.

    ``allowed`` ``(B, H, W)`` in [0, 1] is the road, or the curve of the expert's way as wide as the car.
    """
    return (box * (1 - allowed)[:, None]).flatten(1).mean(1)
