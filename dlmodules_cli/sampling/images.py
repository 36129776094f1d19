"""``sample`` for modules of images: a grid of them, and their values."""

import torch

from callbacks.base.grids import image_grid
from dlmodules.protocols import SamplesImages, class_count, is_conditional
from dlmodules.sampling.labels import sample_labels
from dlmodules_cli.sampling.request import Request, write_grid


def write_images(request: Request) -> None:
    """Write ``samples.png`` and ``samples.npz`` with ``samples (n, C, H, W)`` and their classes ``labels (n,)``.

    They are the class that was asked for, or of a conditional module drawn at random; any other has no ``labels``.
    """
    module, n, label, generator = request.module, request.count, request.checked_label(), request.generator()
    assert isinstance(module, SamplesImages)
    labels, classes = None if label is None else torch.full((n,), label), class_count(module)
    if labels is None and classes is not None and is_conditional(module):
        labels = sample_labels(n, classes, generator, torch.device("cpu"))
    with torch.no_grad():
        images = module.sample(n, labels=labels, generator=generator).float().cpu()
    arrays = {"samples": images.numpy()} | ({} if labels is None else {"labels": labels.numpy()})
    where = write_grid(request.output, image_grid(images), arrays)
    print(f"{n} samples: {where} (array `samples`, {tuple(images.shape)}, in [0, 1])")
