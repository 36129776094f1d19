"""Scores of photographs translated into paintings: whether they are taken for such, and whether they show the same."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.context import Context
from benchmarks.correlations import pixel_correlations
from benchmarks.programs import scores
from benchmarks.readers import accuracy, both, classifier_of, made_of, read_by
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import TensorImageDataset
from dlmodules import CycleGAN
from dlmodules.autoencoders.colorization import to_grey

EPOCHS = 10
"""How often the classifier sees each patch."""
SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then translate the photographs of the test, its first domain.

    A classifier of both domains' training images reads the translations, and their edges are compared with those of the
    photographs. Beside them stand the photographs as they are, with the mean and the deviation of the paintings'
    colours, and the edges of the translation of another photograph.
    """
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, CycleGAN)
    data = scores.data_of_run(row, seed, context, record)
    train, photos = data.train_set, data.test_set.a
    reader = classifier_of(both(train.a, train.b), num_classes=2, seed=seed, epochs=EPOCHS)
    translated = made_of(photos, module.translate)
    recoloured = made_of(photos, Recoloured(train.a, train.b))
    metrics = {"own_labels": accuracy(reader, both(photos, data.test_set.b))}
    for name, images in (("fooled", translated), ("untranslated", photos), ("recoloured", recoloured)):
        metrics[name] = float((read_by(reader, images) == 1).float().mean())
    before, after = (images.selected()[0] / 255 for images in (photos, translated))
    metrics["edges"] = edge_correlation(before, after)
    metrics["edges_of_another"] = edge_correlation(before, after.roll(1, dims=0))
    return replace(record, metrics={**record.metrics, **metrics})


class Recoloured:
    """Images with the mean and the deviation of each channel of others, which needs no network.

    Args:
        images: those whose colours are changed, or others of their kind.
        like: those whose colours they get.
    """

    def __init__(self, images: TensorImageDataset, like: TensorImageDataset) -> None:
        self.before, self.after = (torch.std_mean(x.selected()[0] / 255, dim=(0, 2, 3)) for x in (images, like))

    def __call__(self, images: Tensor) -> Tensor:
        """Return images ``(B, C, H, W)`` in [0, 1] in the other colours."""
        (old_spread, old), (new_spread, new) = ([x[:, None, None] for x in pair] for pair in (self.before, self.after))
        return ((images - old) / old_spread * new_spread + new).clamp(0, 1)


def edge_strength(images: Tensor) -> Tensor:
    """Return the length of the gradient of the grey of ``images`` ``(N, 3, H, W)``, by Sobel: ``(N, H - 2, W - 2)``."""
    across = torch.tensor(SOBEL)
    gradient = F.conv2d(to_grey(images), torch.stack([across, across.T])[:, None])
    return gradient.square().sum(dim=1).sqrt()


def edge_correlation(images: Tensor, others: Tensor) -> float:
    """Return the mean over all pairs of images of the correlation of their edges.

    An image without edges in a pair counts as 0, and a pair of two such is left out.

    Args:
        images: ``(N, 3, H, W)`` in [0, 1].
        others: as many.
    """
    return float(pixel_correlations(edge_strength(images), edge_strength(others)).mean())
