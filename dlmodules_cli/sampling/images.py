"""``sample`` for modules of images: a grid of them, and their values."""

import torch

from callbacks.base.grids import image_grid
from dlmodules.protocols import SamplesImages
from dlmodules_cli.sampling.request import Request, write_grid


def write_images(request: Request) -> None:
    """Write ``samples.png`` and ``samples.npz`` with ``samples (n, C, H, W)`` and, for a class, ``labels (n,)``."""
    module, n, label = request.module, request.count, request.checked_label()
    assert isinstance(module, SamplesImages)
    labels = None if label is None else torch.full((n,), label)
    with torch.no_grad():
        images = module.sample(n, labels=labels, generator=request.generator()).float().cpu()
    arrays = {"samples": images.numpy()} | ({} if labels is None else {"labels": labels.numpy()})
    where = write_grid(request.output, image_grid(images), arrays)
    print(f"{n} samples: {where} (array `samples`, {tuple(images.shape)}, in [0, 1])")
