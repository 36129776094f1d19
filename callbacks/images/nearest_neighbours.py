"""Nearest images by code and by pixels, and whether samples are copies of training images."""

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.batches import as_float, compact, images_and_labels
from callbacks.base.conditions import cycled_labels
from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import BATCH, codes_of, undisturbed
from callbacks.base.media import save_image
from callbacks.base.trainers import is_quiet
from dlmodules.errors import UserError
from dlmodules.protocols import Encodes, SamplesImages


class NearestNeighbours(ImagePlottingCallback):
    """Plots the images nearest to others: by their codes and by their pixels, and those nearest to samples.

    Of a module that has ``encode``, the first validation images, and behind each the nearest of the others by the
    distance of their codes, and by the mean absolute difference of their pixels. Of a module that samples images,
    samples, and behind each the nearest training images by their pixels: if they are the same, it has
    memorized them. Training images are collected during training, after the data module's augmentation.
    Pictures: ``neighbours``, with ``test/`` before it for the test set, and ``sample_neighbours``.

    Args:
        examples: how many images, and how many samples: the rows.
        neighbours: how many nearest images of each.
        max_points: at most that many validation images to choose from.
        max_train: at most that many training images to choose from.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
        seed: seed of the samples' noise.
    """

    def __init__(
        self,
        examples: int = 8,
        neighbours: int = 4,
        max_points: int = 2000,
        max_train: int = 10_000,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(max_points, every_n_epochs, every_n_steps)
        if examples < 1 or neighbours < 1 or max_train < 0:
            raise UserError("NearestNeighbours: examples and neighbours must be 1 or more, max_train not negative")
        self.examples = examples
        self.neighbours = neighbours
        self.max_points = max_points
        self.max_train = max_train
        self.seed = seed
        self._train: list[Tensor] = []

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module with neither codes nor samples."""
        if not isinstance(pl_module, (Encodes, SamplesImages)):
            raise UserError(
                f"NearestNeighbours needs a module with a method `encode` or `sample`; {type(pl_module).__name__} has"
                " none (see dlmodules.protocols)"
            )

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the images of an earlier training."""
        super().on_train_start(trainer, pl_module)
        self._train = []

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        missing = self.max_train - sum(len(part) for part in self._train)
        if missing > 0 and isinstance(pl_module, SamplesImages) and not is_quiet(trainer):
            images, _ = images_and_labels(batch)
            self._train.append(compact(images[:missing].detach().cpu()))
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    @override
    def ready(self) -> bool:
        return bool(self._images or self._train)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._images and isinstance(pl_module, Encodes):
            self._plot_images(trainer, pl_module)
        if self._train and isinstance(pl_module, SamplesImages):
            self._plot_samples(trainer, pl_module)

    def _plot_images(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        if len(images) < 2:
            return
        with undisturbed(trainer, pl_module):
            codes = codes_of(trainer, pl_module, images, labels).flatten(1)
        shown = min(self.examples, len(images))
        own = torch.arange(shown, device=images.device)
        by_code = nearest(codes[:shown], [codes], self.neighbours, p=2.0, own=own)
        by_pixel = nearest(images[:shown].flatten(1), [images], self.neighbours, p=1.0, own=own)
        gap = torch.ones_like(images[:shown, None])
        rows = torch.cat([images[:shown, None], gap, images[by_code], gap, images[by_pixel]], dim=1)
        self._save(trainer, f"{self.prefix}neighbours", rows, "image, nearest by code, nearest by pixel")

    def _plot_samples(self, trainer: Trainer, pl_module: LightningModule) -> None:
        with undisturbed(trainer, pl_module, self.seed) as generator:
            assert isinstance(pl_module, SamplesImages)
            labels = cycled_labels(pl_module, self.examples)
            samples = pl_module.sample(self.examples, labels=labels, generator=generator).float()
        if samples.shape[1:] != self._train[0].shape[1:]:
            return
        places = nearest(samples.flatten(1), self._train, self.neighbours, p=1.0).cpu()
        starts = torch.tensor([0] + [len(part) for part in self._train]).cumsum(0)
        parts = torch.searchsorted(starts, places.contiguous(), right=True) - 1
        found = [
            as_float(self._train[part][place - starts[part]])
            for part, place in zip(parts.flatten().tolist(), places.flatten().tolist(), strict=True)
        ]
        near = torch.stack(found).view(*places.shape, *samples.shape[1:]).to(samples.device)
        rows = torch.cat([samples[:, None], torch.ones_like(samples[:, None]), near], dim=1)
        self._save(trainer, "sample_neighbours", rows, "sample, nearest training images by pixel")

    def _save(self, trainer: Trainer, name: str, rows: Tensor, caption: str) -> None:
        save_image(trainer, name, image_grid(rows.flatten(0, 1), rows.shape[1]), caption=caption)


def nearest(queries: Tensor, others: list[Tensor], count: int, p: float, own: Tensor | None = None) -> Tensor:
    """Find the nearest of ``others`` to each query.

    Args:
        queries: ``(Q, D)``.
        others: parts of ``(N, ...)`` with D numbers each, one after another; uint8 stands for 0 to 1.
        count: how many; fewer where there are fewer others.
        p: of the norm that measures distance.
        own: ``(Q,)`` int64, which of the others is the query itself and is left out.

    Returns:
        Indices ``(Q, count)`` int64, the nearest first; of two at the same distance the first.
    """
    parts = [part for given in others for part in torch.split(given, BATCH)]
    distances = torch.cat([torch.cdist(queries, as_float(part).flatten(1).to(queries), p=p) for part in parts], dim=1)
    available = distances.shape[1]
    if own is not None:
        distances[torch.arange(len(queries), device=own.device), own] = torch.inf
        available -= 1
    return distances.argsort(dim=1, stable=True)[:, : min(count, available)]
