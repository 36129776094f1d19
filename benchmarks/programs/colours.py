"""Scores of coloured photographs: what a classifier takes them for, and how far they are from those in true colours."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from benchmarks.context import Context
from benchmarks.data import cifar10_jpeg
from benchmarks.programs import scores, translations
from benchmarks.readers import accuracy, made_of, trained
from benchmarks.record import Record
from benchmarks.row import Row
from benchmarks.rows import ROWS
from benchmarks.rows.shared import cosine
from callbacks.images.feature_network import FeatureNetwork, load_feature_network
from callbacks.images.frechet import frechet_distance
from datamodules import TensorImageDataset
from dlmodules import ColorizationAutoencoder, CycleGAN
from dlmodules.checkpoints.loading import load_module

READER, READER_EPOCHS = "configs/classifiers/resnet20_cifar10.yaml", 6
AUTOENCODER = ROWS["colorization_cifar10"]


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``translations`` does, then colour the grey photographs of the test.

    A classifier of true colours reads them, and its features tell how far they are from the true ones; those that the
    colorization autoencoder makes, which has learned from the true colours of each, are beside them.
    """
    record = translations.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, CycleGAN)
    data = scores.data_of_run(row, seed, context, record)
    reader = load_feature_network(
        trained("reader-of-CIFAR10", READER, (*cifar10_jpeg.arguments(context), *cosine(READER_EPOCHS)), context)
    )
    grey, true = data.test_set.a, data.test_set.b
    n = 200 if context.quick else len(grey)
    found = of_colours(
        reader,
        made_of(true, lambda x: x, n),
        {
            "coloured": made_of(grey, module.translate, n),
            "autoencoder": made_of(grey, autoencoder(context).reconstruct, n),
            "grey": made_of(grey, lambda x: x.expand(-1, 3, -1, -1), n),
        },
    )
    return replace(record, metrics={**record.metrics, **found, **without_learning(grey, true)})


def without_learning(grey: TensorImageDataset, true: TensorImageDataset) -> dict[str, float]:
    """Return the errors of what takes no network: ``l1_means`` of the mean of the colours as grey, and ``l1_grey`` of
    grey as colours.
    """
    light, colours = (images.selected()[0] / 255 for images in (grey, true))
    return {
        "l1_means": float((colours.mean(dim=1, keepdim=True) - light).abs().mean()),
        "l1_grey": float((light - colours).abs().mean()),
    }


def autoencoder(context: Context) -> ColorizationAutoencoder:
    """Return the colorization autoencoder of its own row, trained here where it is not there yet."""
    assert AUTOENCODER.config is not None
    args = (*scores.data_arguments(AUTOENCODER, context), *AUTOENCODER.options["args"])
    module = load_module(trained(f"trained-{AUTOENCODER.name}", AUTOENCODER.config, args, context)).eval()
    assert isinstance(module, ColorizationAutoencoder)
    return module


def of_colours(
    reader: FeatureNetwork, true: TensorImageDataset, images: Mapping[str, TensorImageDataset]
) -> dict[str, float]:
    """Return how well a classifier reads images, and the FID of each kind of them in its features.

    Args:
        reader: the classifier.
        true: photographs in true colours, with their classes: ``own_colours``.
        images: the same in other colours, by name: ``NAME`` and ``fid_NAME``. There must be ``coloured`` and ``grey``,
            of which ``colour_loss`` and ``grey_loss`` tell by how many points they are read less well, and those of the
            ``autoencoder``: ``fid_ratio`` is the FID of the coloured ones over theirs.
    """
    wanted = features(reader, true)
    found = {"own_colours": accuracy(reader.module, true)}
    for name, some in images.items():
        found[name] = accuracy(reader.module, some)
        found[f"fid_{name}"] = frechet_distance(wanted, features(reader, some))
    for name, kind in (("colour_loss", "coloured"), ("grey_loss", "grey")):
        found[name] = 100 * (found["own_colours"] - found[kind])
    return {**found, "fid_ratio": found["fid_coloured"] / found["fid_autoencoder"]}


@torch.no_grad()
def features(reader: FeatureNetwork, images: TensorImageDataset) -> torch.Tensor:
    """Return the features ``(N, F)`` of all images."""
    rows = torch.arange(len(images)).split(500)  # type: ignore[no-untyped-call]
    return torch.cat([reader.features(images.__getitems__(part)[0]) for part in rows])
