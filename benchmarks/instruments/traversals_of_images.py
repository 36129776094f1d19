"""The effect of a generator's code on its images: their slant, width and ink, and their predicted class."""

import torch
from torch import Tensor

from callbacks.images.feature_network import FeatureNetwork
from dlmodules.protocols import SamplesImages, Traverses

MEASURES = ("slant", "width", "ink")


def moments(images: Tensor) -> dict[str, Tensor]:
    """Return the measures of images ``(B, 1, H, W)`` in [0, 1], each ``(B,)``.

    ``slant`` is by how many columns the ink moves for each row upwards; ``width`` the standard deviation of its
    columns, in pixels, when the slant is taken away; ``ink`` its sum, in pixels.
    """
    mass = images[:, 0].double()
    ink = mass.sum(dim=(1, 2)).clamp(min=1e-6)
    rows = torch.arange(mass.shape[1], dtype=torch.float64)[:, None]
    columns = torch.arange(mass.shape[2], dtype=torch.float64)

    def mean(values: Tensor) -> Tensor:
        return (mass * values).sum(dim=(1, 2)) / ink

    y = -(rows - mean(rows.expand_as(mass[0]))[:, None, None])  # upwards
    x = columns - mean(columns.expand_as(mass[0]))[:, None, None]
    slant = mean(x * y) / mean(y * y).clamp(min=1e-6)
    upright = mean((x - slant[:, None, None] * y).square())
    return {"slant": slant, "width": upright.sqrt(), "ink": ink}


@torch.no_grad()
def effects(module: Traverses, network: FeatureNetwork, span: float, n: int, seed: int) -> dict[str, float]:
    """Return what moving each code from ``-span`` to ``span`` does to ``n`` images of the classes in turn.

    For each code and measure the mean change, in standard deviations of that measure over the samples of a class:
    ``code1/slant`` and so on; ``code1/class_kept``, the fraction of the images in which the reader sees the same class
    at both ends; and ``code1/change``, the mean absolute difference of a pixel between the ends.
    """
    found = {}
    values = torch.tensor([-span, span])
    labels = torch.arange(n) % 10
    assert isinstance(module, SamplesImages)
    samples = moments(module.sample(n, labels=labels, generator=torch.Generator().manual_seed(seed)))
    spread = {
        measure: torch.stack([samples[measure][labels == digit].std() for digit in range(10)]).mean()
        for measure in MEASURES
    }
    for name in module.traversals:
        generator = torch.Generator().manual_seed(seed)
        images = module.traverse(name, values, n, labels=labels, generator=generator)
        first, last = (moments(images[:, index]) for index in range(2))
        for measure in MEASURES:
            found[f"{name}/{measure}"] = float((last[measure] - first[measure]).mean() / spread[measure])
        read = [network.classes(images[:, index]) for index in (0, -1)]
        assert read[0] is not None
        assert read[1] is not None
        found[f"{name}/class_kept"] = float((read[0] == read[1]).float().mean())
        found[f"{name}/change"] = float((images[:, -1] - images[:, 0]).abs().mean())
    return found
