"""Augmented training batches of 32x32 colour images against torchvision's transforms, image by image."""

import time
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.context import Context
from benchmarks.programs.speed_data import compare_loaders
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import VisionDataModule
from dlmodules.layers.augmentation import RandomShiftAndFlip

BATCH_SIZE = 128
IMAGES = 50_000  # as many as CIFAR10 has


class NoiseDataModule(VisionDataModule):
    """Random bytes of CIFAR10's shape, since the time does not depend on what the images show."""

    image_shape = (3, 32, 32)
    names = tuple("0123456789")

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the same images each time."""
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(256, (IMAGES, *self.image_shape), dtype=torch.uint8, generator=generator)
        return images, torch.zeros(IMAGES, dtype=torch.int64)


class PILImages(Dataset[Any]):
    """What torchvision's data sets do: an image from an array, then transforms of PIL images."""

    def __init__(self, images: Tensor) -> None:
        from torchvision.transforms import Compose, RandomCrop, RandomHorizontalFlip, ToTensor

        self.images = images.permute(0, 2, 3, 1).numpy()
        self.transform = Compose([RandomCrop(32, padding=3, padding_mode="edge"), RandomHorizontalFlip(), ToTensor()])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one augmented image ``(3, 32, 32)`` and its label."""
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index])), 0


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare images per second."""
    begin = time.perf_counter()
    data = NoiseDataModule(batch_size=BATCH_SIZE, train_transform=RandomShiftAndFlip(0.1))
    data.setup("fit")
    assert data.train_set is not None
    least, images = (0.1, 1000) if context.quick else (3.0, len(data.train_set))
    loader = data.train_dataloader()
    per_sample = DataLoader(PILImages(data.train_set.images[:images]), batch_size=BATCH_SIZE, shuffle=True)
    return compare_loaders(row, seed, context, begin, loader, per_sample, least)
