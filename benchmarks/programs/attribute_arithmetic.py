"""Attribute arithmetic: does a vector, added to the code of a face, change this attribute and leave the others?

The vector of an attribute is measured on the training faces. It is added to the code of each test face without the
attribute, and subtracted from that of each with it, at the strength that was best on the validation faces. A
classifier that was trained apart, on the training faces, reads the decoded faces before and after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.context import Context
from benchmarks.data import avatars
from benchmarks.instruments.attribute_reader import read, train_reader
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from callbacks.latents.attributes import Method, attribute_vectors
from datamodules import CelebADataModule
from dlmodules.protocols import Decodes, Encodes

STRENGTHS = tuple(step / 2 for step in range(1, 9))
METHODS: tuple[Method, ...] = ("difference", "least_squares")
EPOCHS = 6
# A greater strength, which distorts faces more, must be worth that much more.
WORTH = 0.02


@dataclass(frozen=True, eq=False)
class Faces:
    """Images ``(B, 3, 64, 64)`` of a set, their attributes ``(B, A)`` bool and their codes ``(B, D)``."""

    images: Tensor
    attributes: Tensor
    codes: Tensor


@dataclass(frozen=True)
class Fractions:
    """What a strength did to the verdicts on B faces.

    Args:
        strength: how many times the vector was added or subtracted.
        changed: fraction of the faces on which the verdict on the attribute was right, and then the opposite.
        kept: for each attribute the fraction of the faces on which the verdict stayed.
        added: the fraction changed of the faces without the attribute.
        removed: the fraction changed of the faces with it.
    """

    strength: float
    changed: float
    kept: tuple[float, ...]
    added: float
    removed: float

    def others(self, attribute: int) -> list[float]:
        """Return what was kept of the other attributes, the most first."""
        return sorted((fraction for place, fraction in enumerate(self.kept) if place != attribute), reverse=True)


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then move the faces of the test set."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    data = CelebADataModule(str(avatars.folder(context)), batch_size=64, seed=seed)
    data.setup("fit")
    data.setup("test")
    names = data.attribute_names
    loader = data.train_dataloader()
    reader = train_reader(loader, len(names), *((1, 20) if context.quick else (EPOCHS, len(loader))), seed)
    train, val, test = (faces(module, part) for part in (loader, data.val_dataloader(), data.test_dataloader()))
    before = {part: read(reader, decoded(module, part.codes)) for part in (val, test)}
    metrics: dict[str, float] = {}
    details: dict[str, Any] = {
        "attributes": names,
        "right verdicts on test faces": right(read(reader, test.images), test.attributes),
        "right verdicts on their reconstructions": right(before[test], test.attributes),
    }
    for method in METHODS:
        vectors = attribute_vectors(train.codes, train.attributes, method)
        for name in row.options["targets"]:
            place = names.index(name)
            tried = [fractions(module, reader, val, before[val], vectors, place, strength) for strength in STRENGTHS]
            strength = best(tried, place).strength
            found = fractions(module, reader, test, before[test], vectors, place, strength)
            others = found.others(place)
            if method == row.options["method"]:
                metrics |= {
                    f"test/changed_{name}": found.changed,
                    f"test/others_kept_{name}": float(sum(fraction >= row.options["kept"] for fraction in others)),
                    f"test/strength_{name}": strength,
                }
            details[f"{name}, {method}"] = {
                **{"strength": strength, "moved": found.changed, "added": found.added, "removed": found.removed},
                "kept": {other: fraction for other, fraction in zip(names, found.kept, strict=True) if other != name},
                "moved on validation faces": {f"{one.strength:g}": one.changed for one in tried},
            }
    return replace(record, metrics=record.metrics | metrics, details=record.details | details)


@torch.no_grad()
def faces(module: LightningModule, loader: DataLoader[tuple[Tensor, Tensor]]) -> Faces:
    """Return all faces of a loader with their codes."""
    assert isinstance(module, Encodes)
    parts = [(x, y > 0, module.encode(x)) for x, y in loader]
    return Faces(*(torch.cat(part) for part in zip(*parts, strict=True)))


@torch.no_grad()
def decoded(module: LightningModule, codes: Tensor) -> Tensor:
    """Return the images of codes, decoded 256 at a time."""
    assert isinstance(module, Decodes)
    return torch.cat([module.decode(part) for part in codes.split(256)])


def fractions(
    module: LightningModule,
    reader: nn.Module,
    given: Faces,
    before: Tensor,
    vectors: Tensor,
    attribute: int,
    strength: float,
) -> Fractions:
    """Move faces by ``strength`` vectors of an attribute, away from what they have, and say what is read then.

    ``before`` ``(B, A)`` bool is what was read of the faces as they were.
    """
    has = given.attributes[:, attribute]
    steps = torch.where(has, -strength, strength)[:, None] * vectors[attribute]
    return compared(before, read(reader, decoded(module, given.codes + steps)), has, attribute, strength)


def compared(before: Tensor, after: Tensor, has: Tensor, attribute: int, strength: float) -> Fractions:
    """Compare the verdicts ``(B, A)`` bool on faces ``before`` and ``after`` they were changed.

    ``has`` ``(B,)`` says which faces have the attribute. A face whose verdict was wrong before counts as not changed.
    """
    changed = (before[:, attribute] == has) & (after[:, attribute] != has)
    return Fractions(
        strength,
        float(changed.float().mean()),
        tuple((before == after).float().mean(dim=0).tolist()),
        added=float(changed[~has].float().mean()),
        removed=float(changed[has].float().mean()),
    )


def best(tried: Sequence[Fractions], attribute: int) -> Fractions:
    """Return the least strength at which the fractions changed, and kept of the others, add up to nearly the most."""
    worth = [one.changed + sum(one.others(attribute)) / len(one.others(attribute)) for one in tried]
    return next(one for one, value in zip(tried, worth, strict=True) if value >= max(worth) - WORTH)


def right(verdicts: Tensor, attributes: Tensor) -> list[float]:
    """Return for each attribute the fraction of right verdicts."""
    found: list[float] = (verdicts == attributes).float().mean(dim=0).tolist()
    return found
