"""The base of the data modules that hold three disjoint sets in memory, and their loaders."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler
from typing_extensions import override

from datamodules.base.fields import BatchT, transform_first
from datamodules.base.sampling import Collate, ResumableLoader, Transform, collate_of, shuffled
from datamodules.base.tryable import Tryable
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least, check_at_least_one

DatasetT = TypeVar("DatasetT", bound=Dataset[Any])


def permutation(n: int, seed: int) -> Tensor:
    """Return the permutation of ``n`` rows that belongs to ``seed``, without the global generator."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def count_of(n: int, amount: int | float) -> int:
    """Return how many of ``n`` an ``amount`` asks for, which is a number or a fraction of them."""
    return amount if isinstance(amount, int) else int(n * amount)


class InMemoryDataModule(Tryable, LightningDataModule, Generic[DatasetT, BatchT]):
    """Three disjoint sets in memory and their loaders, of which that for training resumes inside an epoch.

    A child implements ``make_train_and_val``, ``make_test`` and, where there are classes, ``class_names``. The sets are
    any that have a length: those whose ``__getitems__`` makes whole batches, as ``FieldsDataset``, are the fastest;
    rows of any other go through ``collate``. Batches have any structure, and training resumes exactly with each.

    Args:
        batch_size: rows of a batch, 1 or more.
        num_workers: processes that make batches; 0, in the main process, is fastest for data in memory.
        seed: fixes the order of training batches, and the validation split where one is drawn, whatever else draws
            random numbers.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        train_transform: augmentation, applied to the whole first field (``x``) of a training batch, such as a transform
            of ``torchvision.transforms.v2`` (which draws once for the whole batch). What it draws from torch's
            generator depends on ``seed``, the epoch and the batch.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8}
    unit = "rows"  # what the data is counted in, for messages

    def __init__(
        self,
        batch_size: int,
        num_workers: int = 0,
        seed: int = 0,
        drop_last: bool = False,
        train_transform: Transform | None = None,
        pin_memory: bool = False,
    ) -> None:
        super().__init__()
        check_at_least_one(batch_size=batch_size)
        check_at_least(0, num_workers=num_workers, seed=seed)
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed
        self.drop_last = drop_last
        self.train_transform = train_transform
        self.pin_memory = pin_memory
        self.train_set: DatasetT | None = None
        self.val_set: DatasetT | None = None
        self.test_set: DatasetT | None = None

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of their indices."""
        raise NotImplementedError

    @property
    def num_classes(self) -> int:
        """Number of classes; labels are ``0 .. num_classes - 1``."""
        return len(self.class_names)

    def collate(self, dataset: Dataset[Any]) -> Collate:
        """Return what makes a batch of the list of its rows in ``dataset``, such as boxes that cannot be stacked."""
        return collate_of(dataset)

    def make_train_and_val(self) -> tuple[DatasetT, DatasetT]:
        """Return the training and the validation set."""
        raise NotImplementedError

    def make_test(self) -> DatasetT:
        """Return the test set."""
        raise NotImplementedError

    @override
    def setup(self, stage: str | None = None) -> None:
        """Make the sets for training to fit and validate, the test set to test and predict."""
        if stage in ("fit", "validate", None) and self.train_set is None:
            self.train_set, self.val_set = self.make_train_and_val()
        if stage in ("test", "predict", None) and self.test_set is None:
            self.test_set = self.make_test()

    def make_again(self) -> None:
        """Make those sets anew that are made already, as where a checkpoint has brought another vocabulary."""
        if self.train_set is not None:
            self.train_set, self.val_set = self.make_train_and_val()
        if self.test_set is not None:
            self.test_set = self.make_test()

    def augment(self, batch: Any, transform: Transform) -> Any:
        """Return a training batch with ``transform`` applied to its first field."""
        return transform_first(batch, transform)

    def train_sampler(self, dataset: DatasetT) -> DistributedSampler[Any]:
        """Return what orders the training rows, as a function of the seed and the epoch."""
        return shuffled(dataset, self.seed, self.drop_last)

    @override
    def train_dataloader(self) -> ResumableLoader[BatchT]:
        """Return shuffled training batches; the loader resumes inside an epoch."""
        if self.train_set is None:
            self.setup("fit")
        assert self.train_set is not None
        sampler = self.train_sampler(self.train_set)
        if self.drop_last and len(sampler) < self.batch_size:
            raise UserError(
                f"drop_last leaves no batch: {len(sampler)} training {self.unit} are fewer than "
                f"batch_size={self.batch_size}; lower batch_size or set drop_last to false"
            )
        trainer = self.trainer if self.trainer is not None and self.trainer.training else None

        def progress() -> tuple[int, float]:
            assert trainer is not None
            batches: Any = trainer.fit_loop.epoch_loop.batch_progress.current
            return batches.processed, trainer.num_training_batches

        return ResumableLoader(
            self.train_set,
            seed=self.seed,
            transform=self.train_transform,
            apply=self.augment,
            progress=progress if trainer is not None else None,
            sampler=sampler,
            batch_size=self.batch_size,
            drop_last=self.drop_last,
            num_workers=self.num_workers,
            pin_memory=self.pin_memory,
            collate_fn=self.collate(self.train_set),
            generator=torch.Generator(),  # an iterator draws a seed for its workers, else from the global one
        )

    @override
    def val_dataloader(self) -> DataLoader[BatchT] | list[DataLoader[BatchT]]:
        """Return the validation batches in order, or no loader where the validation set is empty."""
        if self.val_set is None:
            self.setup("validate")
        assert self.val_set is not None
        return self.in_order(self.val_set) if _size(self.val_set) > 0 else []

    def required_test_set(self) -> DatasetT:
        """Return the test set, or raise the UserError that it is empty."""
        if self.test_set is None:
            self.setup("test")
        assert self.test_set is not None
        if _size(self.test_set) == 0:
            name, unit = type(self).__name__, self.unit
            raise UserError(f"{name} has no test {unit}; set a fraction of the {unit} apart for them")
        return self.test_set

    @override
    def test_dataloader(self) -> DataLoader[BatchT]:
        return self.in_order(self.required_test_set())

    @override
    def predict_dataloader(self) -> DataLoader[BatchT]:
        return self.test_dataloader()

    def in_order(self, dataset: Dataset[Any]) -> DataLoader[BatchT]:
        """Return a loader that goes through ``dataset`` once, in its order."""
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            pin_memory=self.pin_memory,
            collate_fn=self.collate(dataset),
            generator=torch.Generator(),
        )


def _size(dataset: Dataset[Any]) -> int:
    return len(dataset)  # type: ignore[arg-type]  # torch's Dataset promises no length
