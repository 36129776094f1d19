"""Scores of what translates images: how far from their targets, pixel by pixel and in fine detail."""

from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules.protocols import Translates


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then compare translations of the test with their targets.

    The rows of the test belong together, whether those of the training did or not.
    """
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, Translates)
    data = scores.data_of_run(row, seed, context, record)
    metrics = {}
    for direction in module.directions:
        found, wanted = [], []
        with torch.no_grad():
            for a, b, *_ in data.test_dataloader():
                images = {"a": a, "b": b}
                found.append(module.translate(images[direction[0]], direction))
                wanted.append(images[direction[-1]])
        metrics[f"spectrum_{direction}"] = spectrum_distance(torch.cat(found), torch.cat(wanted))
        metrics[f"l1_{direction}"] = float((torch.cat(found) - torch.cat(wanted)).abs().mean())
    return replace(record, metrics={**record.metrics, **metrics})


def spectrum_distance(found: Tensor, wanted: Tensor) -> float:
    """Return the mean distance in dB of the power of images ``(N, C, S, S)`` at each frequency, in any direction."""
    levels = [10 * radial_power(images).log10() for images in (found, wanted)]
    return float((levels[0] - levels[1]).abs().mean())


def radial_power(images: Tensor) -> Tensor:
    """Return the mean power of square images ``(N, C, S, S)`` at the frequencies 1 to S / 2, ``(S // 2,)``."""
    size = images.shape[-1]
    power = torch.fft.fft2(images.double()).abs().square().mean(dim=(0, 1))
    steps = torch.fft.fftfreq(size, 1 / size)
    radius = (steps[:, None].square() + steps.square()).sqrt().round().long()
    sums = torch.zeros(int(radius.max()) + 1, dtype=power.dtype).index_add_(0, radius.flatten(), power.flatten())
    return (sums / radius.flatten().bincount())[1 : size // 2 + 1]
