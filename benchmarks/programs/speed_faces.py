"""Training batches of a folder of faces, decoded once, against PIL and torchvision's transforms, file by file."""

import time
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, Dataset

from benchmarks.context import Context
from benchmarks.data import avatars
from benchmarks.programs.speed_data import compare_loaders
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import CelebADataModule

BATCH_SIZE = 128
SIZE = 64


class Files(Dataset[Any]):
    """What torchvision's folder of images does: open a file, cut its central square, resize it, make it a tensor."""

    def __init__(self, root: Path, files: list[str]) -> None:
        from torchvision.transforms import CenterCrop, Compose, Resize, ToTensor

        self.paths = [root / file for file in files]
        self.transform = Compose([Resize(SIZE), CenterCrop(SIZE), ToTensor()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return one image ``(3, 64, 64)`` and a label."""
        from PIL import Image

        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB")), 0


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare images per second, after the first epoch has filled the cache."""
    begin = time.perf_counter()
    data = CelebADataModule(str(avatars.folder(context)), image_size=SIZE, batch_size=BATCH_SIZE)
    data.setup("fit")
    loader = data.train_dataloader()
    for _ in loader:  # the first epoch
        pass
    files = data.listing.files[:500] if context.quick else data.listing.files[: len(loader.dataset)]
    per_sample = DataLoader(Files(data.folder / data.images, files), batch_size=BATCH_SIZE, shuffle=True)
    return compare_loaders(row, seed, context, begin, loader, per_sample, 0.1 if context.quick else 3.0)
