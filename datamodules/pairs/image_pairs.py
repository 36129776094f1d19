"""Images of two domains in batches, those that belong together or any two, and the base of their data modules."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from datamodules.base.sampling import Transform, shuffled
from datamodules.images.tensor_dataset import TensorImageDataset
from dlmodules.errors import UserError

ImageBatch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Images of ``a`` and of ``b``, ``(B, C, H, W)`` float32 in [0, 1], and the labels of both, ``(B,)`` int64."""


class ImagePairDataset(Dataset[ImageBatch]):
    """Images of two domains; the longer of them tells how many there are.

    Args:
        a: images of one domain.
        b: images of the other.
        paired: whether row for row they belong together.

    Raises:
        UserError: they belong together and are not as many.
    """

    def __init__(self, a: TensorImageDataset, b: TensorImageDataset, paired: bool) -> None:
        if paired and len(a) != len(b):
            raise UserError(f"paired images must be as many in both domains, not {len(a)} and {len(b)}")
        self.a, self.b, self.paired = a, b, paired

    def __len__(self) -> int:
        return max(len(self.a), len(self.b)) if min(len(self.a), len(self.b)) else 0

    @override
    def __getitem__(self, index: int) -> ImageBatch:
        """Return one image of each domain ``(C, H, W)`` and their labels ``()``."""
        a, b, labels_a, labels_b = self.__getitems__([index])
        return a[0], b[0], labels_a[0], labels_b[0]

    def __getitems__(self, indices: Sequence[int | tuple[int, int]]) -> ImageBatch:
        """Return a batch: of the same row of both, the shorter from its beginning again, or of two given rows."""
        pairs = [index if isinstance(index, tuple) else (index, index) for index in indices]
        a, labels_a = self.a.__getitems__([row % len(self.a) for row, _ in pairs])
        b, labels_b = self.b.__getitems__([row % len(self.b) for _, row in pairs])
        return a, b, labels_a, labels_b


class TwoOrders(DistributedSampler[Any]):
    """An order of each domain's rows, as functions of the seed and the epoch; the shorter one's goes on anew."""

    @override
    def __iter__(self) -> Iterator[Any]:
        dataset = self.dataset
        assert isinstance(dataset, ImagePairDataset)
        longer = list(super().__iter__())
        shorter = min(len(dataset.a), len(dataset.b))
        draw = torch.Generator().manual_seed(self.seed + self.epoch + 1_000_000_007)  # another than the longer one's
        turns = -(-self.total_size // shorter)
        order = torch.cat([torch.randperm(shorter, generator=draw) for _ in range(turns)])
        own = order[self.rank : self.total_size : self.num_replicas].tolist()
        rows = (longer, own) if len(dataset.a) >= len(dataset.b) else (own, longer)
        return iter(list(zip(*rows, strict=True)))


class ImagePairsDataModule(InMemoryDataModule[ImagePairDataset, ImageBatch]):
    """Batches ``(a, b, labels_a, labels_b)`` of images of two domains, float32 in [0, 1], and their classes.

    A child implements ``make_train_and_val`` and ``make_test``, whose sets are ``ImagePairDataset``. Of paired images
    those that belong together come together; of others each domain has an order of its own, and the longer one is the
    epoch.

    Args:
        batch_size: images of each domain in a batch, 1 or more.
        train_transform: augmentation of the images of both domains, such as a transform of
            ``torchvision.transforms.v2``; of paired images by the same draws.
        **kwargs: of ``InMemoryDataModule``.
    """

    unit = "pairs"

    def __init__(self, batch_size: int = 8, train_transform: Transform | None = None, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, train_transform=train_transform, **kwargs)

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes of its own."""
        return []

    @override
    def train_sampler(self, dataset: ImagePairDataset) -> DistributedSampler[Any]:
        kind = DistributedSampler if dataset.paired else TwoOrders
        return shuffled(dataset, self.seed, self.drop_last, kind)

    @override
    def augment(self, batch: ImageBatch, transform: Transform) -> ImageBatch:
        """Return a batch with ``transform`` applied to both domains, by the same draws where they are paired."""
        assert self.train_set is not None
        before = torch.get_rng_state()
        a = transform(batch[0])
        if self.train_set.paired:
            torch.set_rng_state(before)
        return a, transform(batch[1]), batch[2], batch[3]
