"""The digits, and through them what all image data modules share."""

import random
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from datamodules import DigitsDataModule
from datamodules.images.vision import fit_images
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def ready(**kwargs: Any) -> DigitsDataModule:
    data = DigitsDataModule(**kwargs)
    data.prepare_data()
    data.setup()
    return data


def epoch(loader: Any) -> tuple[Tensor, Tensor]:
    x, y = zip(*loader, strict=True)
    return torch.cat(x), torch.cat(y)


def test_shapes_are_known_before_the_data_is_loaded() -> None:
    data = DigitsDataModule()
    assert data.image_shape == (1, 28, 28)
    assert data.num_classes == 10
    assert data.class_names == list("0123456789")
    assert data.batch_size == 128
    assert DigitsDataModule(image_size=32, channels=3).image_shape == (3, 32, 32)


def test_batches() -> None:
    data = ready(batch_size=100)
    loaders = (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())
    assert [len(loader) for loader in loaders] == [13, 2, 3]
    for loader, count in zip(loaders, (1297, 200, 300), strict=True):
        x, y = epoch(loader)
        assert x.shape == (count, 1, 28, 28)
        assert x.dtype == torch.float32
        assert x.min() == 0
        assert 0.9 < x.max() <= 1
        assert y.dtype == torch.int64
        assert set(y.tolist()) == set(range(10))


def test_the_three_sets_are_disjoint_and_complete() -> None:
    data = ready(image_size=8, val_size=0.25)
    sets = [epoch(loader)[0] for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())]
    assert [len(x) for x in sets] == [1123, 374, 300]
    ours = sorted(np.rint(torch.cat(sets).flatten(1).numpy() * 16).tolist())
    assert ours == sorted(load_digits().data.tolist())


def test_a_digit_has_its_pixels_and_label() -> None:
    # The first row of scikit-learn's first digit, a zero, is 0 0 5 13 9 1 0 0 of 16; 5 / 16 of 255 is 80.
    data = ready(image_size=8)
    row = torch.tensor([0, 0, 80, 207, 143, 16, 0, 0])
    found = []
    for images, labels in (data.load(train=True), data.load(train=False)):
        found += labels[(images[:, 0, 0] == row).all(dim=1)].tolist()
    assert 0 in found


def test_images_are_resized_and_channels_repeated() -> None:
    images, _ = DigitsDataModule(image_size=32, channels=3).load(train=False)
    assert images.shape == (300, 3, 32, 32)
    assert torch.equal(images[:, 0], images[:, 2])


def test_a_margin_keeps_the_digits_from_the_edge() -> None:
    filled, _ = DigitsDataModule().load(train=False)
    assert (filled[:, 0, 0].amax(1) > 0).float().mean() > 0.9  # each fills its eight rows
    images, _ = DigitsDataModule(margin=4).load(train=False)
    assert images.shape == (300, 1, 28, 28)
    assert images.dtype == torch.uint8
    inner = images[:, :, 4:-4, 4:-4]
    assert torch.equal(inner, DigitsDataModule(image_size=20).load(train=False)[0])
    assert images.sum() == inner.sum()  # the margin is black


def test_resizing_by_hand() -> None:
    # From 2 to 4 columns, bilinear: the inner ones lie a quarter of the way to the other pixel.
    images = torch.tensor([[[[0, 100], [0, 100]]]], dtype=torch.uint8)
    larger = fit_images(images, 4, 1)
    assert larger[0, 0].tolist() == [[0, 25, 75, 100]] * 4
    assert fit_images(images, 2, 1) is images
    # From 4 to 2 with antialiasing, a triangle over three pixels weighs 1/4, 3/4, 3/4: 75 / 1.75, and not 50.
    row = torch.tensor([0, 0, 0, 100], dtype=torch.uint8).expand(1, 1, 4, 4)
    assert fit_images(row, 2, 1)[0, 0, 0].tolist() == [0, 43]


def test_the_seed_chooses_the_validation_set_but_not_the_test_set() -> None:
    def sets(seed: int) -> tuple[list[int], Tensor]:
        data = ready(seed=seed, image_size=8)
        assert data.val_set is not None
        assert data.val_set.indices is not None
        assert data.test_set is not None
        return data.val_set.indices.tolist(), data.test_set.images

    (val, test), (same_val, _), (other_val, other_test) = sets(0), sets(0), sets(1)
    assert val == same_val
    assert val != other_val
    assert torch.equal(test, other_test)


@pytest.mark.parametrize("workers", [0, 2])
def test_no_global_generator_is_drawn_from(workers: int) -> None:
    torch.manual_seed(1)
    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    data = ready(num_workers=workers, image_size=8, train_transform=lambda x: x + torch.rand_like(x))
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        epoch(loader)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]
    assert random.getstate() == states[2]


def test_training_batches_are_the_same_with_and_without_workers() -> None:
    def noise(x: Tensor) -> Tensor:
        return x + torch.rand_like(x)

    one, two = (ready(num_workers=n, image_size=8, train_transform=noise) for n in (0, 2))
    torch.rand(5)
    (x, y), (also_x, also_y) = epoch(one.train_dataloader()), epoch(two.train_dataloader())
    assert torch.equal(x, also_x)
    assert torch.equal(y, also_y)


def test_only_training_batches_are_augmented() -> None:
    data = ready(image_size=8, train_transform=lambda x: -x)
    assert epoch(data.train_dataloader())[0].max() == 0
    assert epoch(data.val_dataloader())[0].min() == 0
    assert epoch(data.test_dataloader())[0].min() == 0


def test_drop_last_and_limit_train() -> None:
    data = ready(image_size=8, batch_size=100, drop_last=True)
    assert [len(y) for _, y in data.train_dataloader()] == [100] * 12
    limited = ready(image_size=8, limit_train=150)
    assert [len(y) for _, y in limited.train_dataloader()] == [128, 22]
    assert len(epoch(limited.val_dataloader())[1]) == 200


def test_fitting_does_not_load_the_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    load = DigitsDataModule.load
    monkeypatch.setattr(DigitsDataModule, "load", lambda self, train: (loaded.append(train), load(self, train))[1])
    data = DigitsDataModule(image_size=8)
    data.setup("fit")
    data.setup("validate")
    assert loaded == [True]
    data.setup("test")
    data.setup("predict")
    assert loaded == [True, False]


class Counter(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.counts = {"train": 0, "val": 0, "test": 0}

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        self.counts["train"] += len(batch[1])
        return self.layer(batch[0].mean(dim=(1, 2, 3))[:, None]).mean()

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self.counts["val"] += len(batch[1])

    def test_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self.counts["test"] += len(batch[1])

    def predict_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        return batch[1]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.parametrize("val_size", [200, 0])
def test_with_a_trainer(val_size: int) -> None:
    trainer = quiet_trainer(max_epochs=1, num_sanity_val_steps=0)
    module, data = Counter(), DigitsDataModule(image_size=8, val_size=val_size)
    trainer.fit(module, datamodule=data)
    assert module.counts == {"train": 1497 - val_size, "val": val_size, "test": 0}
    trainer.test(module, datamodule=data, verbose=False)
    assert module.counts["test"] == 300
    predicted = trainer.predict(module, datamodule=data)
    assert predicted is not None
    assert torch.equal(torch.cat(predicted), data.load(train=False)[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 0}, "image_size is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": -3}, "batch_size is -3"),
        ({"num_workers": -1}, "num_workers is -1"),
        ({"channels": 2}, "channels is 2"),
        ({"margin": -1}, "margin is -1"),
        ({"margin": 14}, "margin is 14; it must be 0 or more, and leave a pixel of 28"),
        ({"seed": -1}, "seed is -1"),
        ({"val_size": -1}, "val_size is -1"),
        ({"val_size": 1.5}, "val_size is 1.5"),
        ({"limit_train": 0}, "limit_train is 0"),
    ],
)
def test_numbers_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        DigitsDataModule(**arguments)


def test_too_few_images() -> None:
    with pytest.raises(UserError, match="val_size=1497 leaves none of the 1497"):
        DigitsDataModule(val_size=1497).setup("fit")
    with pytest.raises(UserError, match="drop_last leaves no batch"):
        ready(batch_size=2000, drop_last=True).train_dataloader()
