"""A resumed fit meets exactly the batches that an unbroken fit would have met."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LambdaCallback, ModelCheckpoint
from torch import Tensor

from datamodules.base.sampling import ResumableLoader, shuffled
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule

BATCHES = 5  # an epoch: 18 images in batches of 4


class Numbered(VisionDataModule):
    """Image i is labelled i; three of the 21 are for validation."""

    image_shape = (1, 1, 1)
    names = tuple(str(i) for i in range(21))

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        return torch.arange(21, dtype=torch.uint8).view(-1, 1, 1, 1), torch.arange(21)


def data(num_workers: int = 0, **kwargs: Any) -> Numbered:
    return Numbered(batch_size=4, val_size=3, seed=3, num_workers=num_workers, **kwargs)


class Recorder(pl.LightningModule):
    """Keeps the labels and pixels of every batch it is trained on, and fails at one of them if asked to."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[list[int]] = []
        self.pixels: list[list[float]] = []
        self.fail_at = fail_at

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        torch.rand(3)  # what a model draws must not move the data
        if self.fail_at == len(self.seen):
            raise RuntimeError("broken off")
        self.seen.append(batch[1].tolist())
        self.pixels.append(batch[0].flatten().tolist())
        return self.layer(batch[0].flatten(1)).mean()

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(
    module: Recorder, datamodule: Numbered, tmp_path: Path, ckpt_path: str | None = None, **kwargs: Any
) -> pl.Trainer:
    arguments: dict[str, Any] = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": "callbacks" in kwargs,
        "accelerator": "cpu",
        "default_root_dir": tmp_path,
    }
    trainer = pl.Trainer(**(arguments | kwargs))
    trainer.fit(module, datamodule=datamodule, ckpt_path=ckpt_path, weights_only=True)
    return trainer


def stop_and_resume(
    tmp_path: Path, stop: dict[str, Any], go_on: dict[str, Any], saved: str, workers: int = 0, **common: Any
) -> Recorder:
    """Fit until ``stop``, save in the way of ``saved``, resume until ``go_on``; return the resumed module."""
    torch.manual_seed(1)
    folder = tmp_path / "checkpoints"
    callbacks = {
        "steps": [ModelCheckpoint(folder, every_n_train_steps=1, filename="last")],
        "epochs": [ModelCheckpoint(folder, save_on_train_epoch_end=True, filename="last")],
        "after": [],
    }[saved]
    if callbacks:
        fit(Recorder(), data(workers), tmp_path, callbacks=callbacks, **stop, **common)
    else:
        fit(Recorder(), data(workers), tmp_path, **stop, **common).save_checkpoint(folder / "last.ckpt")
    torch.manual_seed(2)
    resumed = Recorder()
    fit(resumed, data(workers), tmp_path, ckpt_path=str(folder / "last.ckpt"), **go_on, **common)
    return resumed


def unbroken(tmp_path: Path, **kwargs: Any) -> Recorder:
    module = Recorder()
    fit(module, data(), tmp_path, **kwargs)
    return module


@pytest.mark.parametrize(("saved", "workers"), [("steps", 0), ("epochs", 0), ("after", 0), ("steps", 2), ("after", 2)])
@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("steps", [BATCHES + 2, 2 * BATCHES])
def test_resume_after_max_steps(tmp_path: Path, steps: int, saved: str, validate: bool, workers: int) -> None:
    limit = {"limit_val_batches": 1.0 if validate else 0}
    whole = unbroken(tmp_path, max_steps=23, **limit)
    resumed = stop_and_resume(tmp_path, {"max_steps": steps}, {"max_steps": 23}, saved, workers, **limit)
    assert resumed.seen == whole.seen[steps:]


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("saved", ["steps", "epochs", "after"])
def test_resume_at_an_epochs_end(tmp_path: Path, saved: str, validate: bool) -> None:
    limit = {"limit_val_batches": 1.0 if validate else 0}
    whole = unbroken(tmp_path, max_epochs=4, **limit)
    resumed = stop_and_resume(tmp_path, {"max_epochs": 2}, {"max_epochs": 4}, saved, **limit)
    assert resumed.seen == whole.seen[2 * BATCHES :]


@pytest.mark.parametrize("saved", ["steps", "after"])
@pytest.mark.parametrize("steps", [4, 6])
def test_resume_with_limited_epochs(tmp_path: Path, steps: int, saved: str) -> None:
    limit = {"limit_train_batches": 3, "limit_val_batches": 0}
    whole = unbroken(tmp_path, max_steps=12, **limit)
    resumed = stop_and_resume(tmp_path, {"max_steps": steps}, {"max_steps": 12}, saved, **limit)
    assert resumed.seen == whole.seen[steps:]


def test_resume_twice_and_at_the_first_batches(tmp_path: Path) -> None:
    whole = unbroken(tmp_path, max_steps=14)
    seen: list[list[int]] = []
    path = None
    for steps in (1, 5, 7, 8, 10, 14):
        module = Recorder()
        trainer = fit(module, data(), tmp_path, path, max_steps=steps)
        path = str(tmp_path / f"{steps}.ckpt")
        trainer.save_checkpoint(path)
        seen += module.seen
    assert seen == whole.seen


@pytest.mark.parametrize("step", [BATCHES, BATCHES + 2])
def test_a_batch_that_was_broken_off_comes_again(tmp_path: Path, step: int) -> None:
    whole = unbroken(tmp_path, max_epochs=3)
    path = str(tmp_path / "broken.ckpt")
    save = LambdaCallback(on_exception=lambda trainer, module, error: trainer.save_checkpoint(path))
    with pytest.raises(RuntimeError, match="broken off"):
        fit(Recorder(fail_at=step), data(), tmp_path, callbacks=[save], max_epochs=3)
    resumed = Recorder()
    fit(resumed, data(), tmp_path, path, max_epochs=3)
    assert resumed.seen == whole.seen[step:]


def noisy(x: Tensor) -> Tensor:
    return torch.rand_like(x)


@pytest.mark.parametrize("workers", [0, 2])
def test_augmentation_is_the_same_when_resumed(tmp_path: Path, workers: int) -> None:
    whole, first, resumed = Recorder(), Recorder(), Recorder()
    fit(whole, data(train_transform=noisy), tmp_path, max_steps=12)
    torch.manual_seed(5)
    trainer = fit(first, data(workers, train_transform=noisy), tmp_path, max_steps=7)
    trainer.save_checkpoint(tmp_path / "7.ckpt")
    torch.manual_seed(6)
    fit(resumed, data(workers, train_transform=noisy), tmp_path, str(tmp_path / "7.ckpt"), max_steps=12)
    assert first.pixels + resumed.pixels == whole.pixels
    drawn = [pixel for batch in whole.pixels for pixel in batch]
    assert len(set(drawn)) == len(drawn)  # the noise is new in every batch


def test_every_epoch_is_a_new_order_of_all_images(tmp_path: Path) -> None:
    seen = unbroken(tmp_path, max_epochs=3).seen
    epochs = [list(chain(*seen[start : start + BATCHES])) for start in range(0, 15, BATCHES)]
    validation = data()
    validation.setup("fit")
    assert validation.val_set is not None
    assert validation.val_set.indices is not None
    train = sorted(set(range(21)) - set(validation.val_set.indices.tolist()))
    assert [sorted(epoch) for epoch in epochs] == [train] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_overfit_batches_still_work(tmp_path: Path) -> None:
    module = unbroken(tmp_path, max_epochs=2, overfit_batches=2)
    assert module.seen[:2] == module.seen[2:]
    assert [len(batch) for batch in module.seen] == [4, 4, 4, 4]


def numbers(n: int) -> TensorImageDataset:
    return TensorImageDataset(torch.zeros(n, 1, 1, 1, dtype=torch.uint8), torch.arange(n))


def labels(loader: Any) -> list[list[int]]:
    return [y.tolist() for _, y in loader]


def plain_loader(n: int = 18, seed: int = 0) -> ResumableLoader:
    dataset = numbers(n)
    return ResumableLoader(dataset, sampler=shuffled(dataset, seed), batch_size=4, collate_fn=lambda batch: batch)


def test_without_a_trainer_a_loader_resumes_too() -> None:
    loader = plain_loader()
    stream = [labels(loader), labels(loader), labels(loader)]
    assert len({str(epoch) for epoch in stream}) == 3
    for epoch, batches in ((0, 1), (1, 3), (1, 4)):
        first, second = plain_loader(), plain_loader()
        for _ in range(epoch):
            labels(first)
        iterator = iter(first)
        for _ in range(batches):
            next(iterator)
        second.load_state_dict(first.state_dict())
        assert labels(second) == stream[epoch][batches:]
        assert labels(second) == stream[epoch + 1]
    ended, after = plain_loader(), plain_loader()
    labels(ended)
    after.load_state_dict(ended.state_dict())
    assert labels(after) == stream[1]


def test_the_state_is_two_numbers_and_a_foreign_one_is_passed_over() -> None:
    loader = plain_loader()
    assert loader.state_dict() == {}
    next(iter(loader))
    assert loader.state_dict() == {"epoch": 0, "batches": 1}
    other = plain_loader()
    other.load_state_dict({})
    other.load_state_dict({"_num_yielded": 3})
    assert labels(other) == labels(plain_loader())


def test_order_depends_on_the_seed_and_not_on_the_global_generator() -> None:
    torch.manual_seed(1)
    first = labels(plain_loader())
    torch.manual_seed(2)
    assert labels(plain_loader()) == first
    assert labels(plain_loader(seed=1)) != first
    # seed + epoch alone would make epoch 1 of seed 0 the same as epoch 0 of seed 1
    loader = plain_loader(seed=0)
    labels(loader)
    assert labels(loader) != labels(plain_loader(seed=1))


DISTRIBUTED = """
import json, os, sys
from pathlib import Path
from tests.datamodules.base.test_sampling import Recorder, data, fit

folder = Path(sys.argv[1])
common = {"strategy": "ddp", "devices": 2, "limit_val_batches": 0}
for name, steps, path in (("whole", 8, None), ("first", 4, None), ("rest", 8, folder / "first.ckpt")):
    module = Recorder()
    trainer = fit(module, data(), folder, path, max_steps=steps, **common)
    trainer.save_checkpoint(folder / f"{name}.ckpt")
    (folder / f"{name}-{trainer.global_rank}.json").write_text(json.dumps(module.seen))
"""


@pytest.mark.slow
def test_two_processes_share_the_images_and_resume(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(DISTRIBUTED)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, script, tmp_path], env=environment, check=True, capture_output=True, timeout=300)

    def seen(name: str, rank: int) -> list[list[int]]:
        found: list[list[int]] = json.loads((tmp_path / f"{name}-{rank}.json").read_text())
        return found

    for rank in (0, 1):
        assert [len(batch) for batch in seen("whole", rank)] == [4, 4, 1, 4, 4, 1, 4, 4]
        assert seen("first", rank) + seen("rest", rank) == seen("whole", rank)
    for epoch in (slice(0, 3), slice(3, 6)):
        zero, one = (set(chain(*seen("whole", rank)[epoch])) for rank in (0, 1))
        assert len(zero | one) == 18
        assert not zero & one
