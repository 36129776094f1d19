"""Accuracy of a classifier trained on clean digits, on noisy digits and on their reconstructions."""

from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.classifier import CLASSIFIER, named_classifier
from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from callbacks.images.feature_network import load_feature_network
from datamodules import MNISTDataModule
from dlmodules.protocols import Corrupts, Reconstructs


@torch.no_grad()
def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then let the classifier read clean, noisy and restored test digits."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, Reconstructs)
    assert isinstance(module, Corrupts)
    network = load_feature_network(CLASSIFIER)
    assert network.read_logits is not None
    data = MNISTDataModule(batch_size=1000)
    data.setup("test")
    generator = torch.Generator().manual_seed(seed)
    right: dict[str, list[Tensor]] = {"clean": [], "noisy": [], "restored": []}
    for x, y in data.test_dataloader():
        noisy = module.corrupt(x, generator)
        for name, images in (("clean", x), ("noisy", noisy), ("restored", module.reconstruct(noisy))):
            right[name].append(network.read_logits(images).argmax(dim=1) == y)
    found = {f"test/accuracy_{name}": float(torch.cat(parts).float().mean()) for name, parts in right.items()}
    protocol = record.protocol + named_classifier()
    return replace(record, metrics={**record.metrics, **found}, protocol=protocol)
