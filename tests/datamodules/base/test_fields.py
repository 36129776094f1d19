"""Batches of any structure: pairs of images, dicts, boxes of another number in each image, rows of any data set."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from datamodules.base.fields import FieldsDataset, transform_first
from datamodules.base.in_memory import InMemoryDataModule
from datamodules.base.sampling import Collate
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer

N, VAL = 18, 3
IMAGES = torch.arange(N * 12, dtype=torch.float32).view(N, 3, 2, 2)
BOXES = [torch.full((row % 4, 4), float(row)) for row in range(N)]  # in some images there is none
LABELS = [torch.full((row % 4,), row) for row in range(N)]


class Scene(NamedTuple):
    """An image, what is in it and where, as in a detection."""

    image: Any
    boxes: Any
    labels: Any


class Rows(Dataset[Any]):
    """An ordinary data set, which gives one row for each index."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


def scenes(rows: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    images, boxes, labels = zip(*rows, strict=True)
    return torch.stack(images), list(boxes), list(labels)


DATASETS: dict[str, Dataset[Any]] = {
    "a pair of images": FieldsDataset((IMAGES, 1000 - IMAGES)),
    "a dict": FieldsDataset({"image": IMAGES, "mask": IMAGES[:, :1] > 50, "name": [f"{i}.png" for i in range(N)]}),
    "a triple with boxes": FieldsDataset((IMAGES, BOXES, LABELS)),
    "a named tuple": FieldsDataset(Scene(IMAGES, BOXES, LABELS)),
    "fields in fields": FieldsDataset((IMAGES, {"boxes": BOXES, "labels": LABELS})),
    "a tensor alone": FieldsDataset(IMAGES),
    "rows that are pairs": Rows(list(zip(IMAGES, range(N), strict=True))),
    "rows that are dicts": Rows([{"image": x, "number": i} for i, x in enumerate(IMAGES)]),
    "rows with boxes": Rows(list(zip(IMAGES, BOXES, LABELS, strict=True))),
    "a part of rows": Subset(Rows([(x, i) for i, x in enumerate(IMAGES)] * 2), range(N)),
    "a part of fields": Subset(FieldsDataset((torch.cat([IMAGES, IMAGES]), BOXES * 2)), range(N)),
}


class Structured(InMemoryDataModule[Dataset[Any], Any]):
    """Any of the data sets above."""

    def __init__(self, dataset: str, **kwargs: Any) -> None:
        super().__init__(batch_size=4, seed=3, train_transform=torch.rand_like, **kwargs)
        self.dataset = dataset

    def make_train_and_val(self) -> tuple[Dataset[Any], Dataset[Any]]:
        dataset = DATASETS[self.dataset]
        return dataset, Subset(dataset, range(VAL))

    def make_test(self) -> Dataset[Any]:
        return DATASETS[self.dataset]

    def collate(self, dataset: Dataset[Any]) -> Collate:
        return scenes if self.dataset == "rows with boxes" else super().collate(dataset)


class Recorder(pl.LightningModule):
    """Keeps the batches it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[Any] = []

    def training_step(self, batch: Any, index: int) -> Tensor:
        torch.rand(3)  # what a model draws must not move the data
        self.seen.append(batch)
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(dataset: str, tmp_path: Path, max_steps: int, ckpt_path: Path | None = None, **kwargs: Any) -> list[Any]:
    module = Recorder()
    trainer = quiet_trainer(max_steps=max_steps, default_root_dir=tmp_path)
    trainer.fit(module, datamodule=Structured(dataset, **kwargs), ckpt_path=ckpt_path, weights_only=True)
    trainer.save_checkpoint(tmp_path / f"{max_steps}.ckpt")
    return module.seen


def assert_same(found: Any, wanted: Any) -> None:
    assert type(found) is type(wanted)
    if isinstance(wanted, Tensor):
        torch.testing.assert_close(found, wanted, rtol=0, atol=0)
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted)
        assert_same(list(found.values()), list(wanted.values()))
    elif isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    else:
        assert found == wanted


@pytest.mark.parametrize("dataset", DATASETS)
def test_training_resumes_inside_an_epoch_whatever_a_batch_is(tmp_path: Path, dataset: str) -> None:
    whole = fit(dataset, tmp_path, max_steps=12)
    torch.manual_seed(5)
    first = fit(dataset, tmp_path, max_steps=7)
    torch.manual_seed(6)
    rest = fit(dataset, tmp_path, 12, tmp_path / "7.ckpt")
    assert_same(first + rest, whole)


@pytest.mark.parametrize("dataset", ["a dict", "a triple with boxes", "rows with boxes"])
def test_processes_that_make_batches_change_nothing(tmp_path: Path, dataset: str) -> None:
    assert_same(fit(dataset, tmp_path, 7, num_workers=2), fit(dataset, tmp_path, 7))


def first_field(batch: Any) -> Tensor:
    field = next(iter(batch.values())) if isinstance(batch, dict) else batch if isinstance(batch, Tensor) else batch[0]
    assert isinstance(field, Tensor)
    return field


@pytest.mark.parametrize("dataset", DATASETS)
def test_only_the_first_field_of_a_training_batch_is_transformed(dataset: str) -> None:
    data = Structured(dataset)
    train, plain = next(iter(data.train_dataloader())), next(iter(data.test_dataloader()))
    assert first_field(train).shape == (4, 3, 2, 2)
    assert first_field(train).max() < 1  # drawn by the transform
    torch.testing.assert_close(first_field(plain), IMAGES[:4], rtol=0, atol=0)
    (validation,) = list(data.val_dataloader())
    torch.testing.assert_close(first_field(validation), IMAGES[:VAL], rtol=0, atol=0)


def test_the_other_fields_belong_to_the_same_rows() -> None:
    data = Structured("a triple with boxes")
    data.train_transform = None
    for images, boxes, labels in data.train_dataloader():
        rows = (images[:, 0, 0, 0] / 12).long().tolist()
        assert_same((boxes, labels), ([BOXES[row] for row in rows], [LABELS[row] for row in rows]))


def test_fields_in_memory() -> None:
    dataset: FieldsDataset[Any] = FieldsDataset({"x": IMAGES, "more": (BOXES, list("abcdefghijklmnopqr"))})
    assert len(dataset) == N
    assert_same(dataset[-1], {"x": IMAGES[-1], "more": (BOXES[-1], "r")})
    batch = dataset.__getitems__([2, 0, 2])
    assert_same(batch, {"x": IMAGES[[2, 0, 2]], "more": ([BOXES[2], BOXES[0], BOXES[2]], ["c", "a", "c"])})
    for index in (N, -N - 1):
        with pytest.raises(IndexError, match=f"row {index} of {N}"):
            dataset[index]
    scene = FieldsDataset(Scene(IMAGES, BOXES, LABELS)).__getitems__(torch.tensor([1, 5]))
    assert isinstance(scene, Scene)
    assert scene.image.shape == (2, 3, 2, 2)


@pytest.mark.parametrize(
    ("fields", "message"), [((IMAGES, BOXES[1:]), r"these have \[17, 18\]"), ((), "these have no field")]
)
def test_fields_of_different_lengths_are_refused(fields: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        FieldsDataset(fields)


def test_what_is_transformed_is_not_changed() -> None:
    batch = {"x": torch.ones(2), "y": torch.ones(2)}
    assert_same(transform_first(batch, torch.neg), {"x": -torch.ones(2), "y": torch.ones(2)})
    assert_same(batch, {"x": torch.ones(2), "y": torch.ones(2)})
    assert_same(transform_first([1, 2], lambda x: x + 10), [11, 2])
