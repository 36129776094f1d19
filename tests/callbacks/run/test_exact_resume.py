"""A training goes on in the epoch where it was, whether epochs or steps end it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from callbacks import ExactResume, LastCheckpoint
from datamodules import DigitsDataModule
from dlmodules import MLPClassifier


class KilledError(Exception):
    """Stands for a signal that lets nothing be done any more."""


class Diary(pl.Callback):
    """Notes each batch and what it follows, and is killed before the step ``kill``."""

    def __init__(self, kill: int | None = None) -> None:
        self.kill = kill
        self.lines: list[tuple[Any, ...]] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.lines.append(("epoch", trainer.current_epoch))

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step == self.kill:
            raise KilledError
        self.lines.append((trainer.global_step, batch_idx, float(batch[0].sum())))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.sanity_checking:
            self.lines.append(("validation", trainer.global_step))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.lines.append(("end", trainer.current_epoch))


def trained(
    folder: Path, kill: int | None = None, ckpt_path: str | None = None, every_n_steps: int | None = 1, **ends: Any
) -> tuple[list[tuple[Any, ...]], dict[str, torch.Tensor], int]:
    """Train for two batches an epoch; return the diary, the weights and the number of epochs."""
    pl.seed_everything(0)
    diary = Diary(kill)
    trainer = pl.Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        callbacks=[ExactResume(), LastCheckpoint(str(folder), every_n_steps=every_n_steps), diary],
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"limit_train_batches": 2, "limit_val_batches": 1, "max_epochs": -1, "max_steps": -1, **ends},
    )
    module = MLPClassifier(hidden_dims=(8,), dropout=0.5)
    with suppress(KilledError):
        trainer.fit(module, DigitsDataModule(batch_size=16), ckpt_path=ckpt_path, weights_only=True)
    return diary.lines, module.state_dict(), trainer.current_epoch


@pytest.mark.parametrize(
    "ends", [{"max_epochs": 3}, {"max_steps": 6}, {"max_steps": 9, "max_epochs": 3}, {"max_steps": 5}]
)
@pytest.mark.parametrize("kill", [2, 3, 4])  # at an epoch's end, inside one, and at the end of another
def test_it_goes_on_in_the_epoch_where_it_was(kill: int, ends: dict[str, int], tmp_path: Path) -> None:
    lines, weights, epochs = trained(tmp_path / "unbroken", **ends)
    first, _, _ = trained(tmp_path, kill, **ends)
    second, found, found_epochs = trained(tmp_path, ckpt_path=str(tmp_path / "last.ckpt"), **ends)
    if kill % 2 == 0:  # what the killed one began came to nothing
        assert first.pop() == ("epoch", kill // 2)
    assert first + second == lines
    assert found_epochs == epochs
    assert all(torch.equal(weights[name], found[name]) for name in weights)


@pytest.mark.parametrize("check_val_every_n_epoch", [1, None])
@pytest.mark.parametrize("steps", [2, 4, 6, 7])  # before an epoch's end, at one, and after one; at a validation or not
def test_a_run_that_ends_at_a_validation_inside_an_epoch_keeps_its_last_step(
    steps: int, check_val_every_n_epoch: int | None, tmp_path: Path
) -> None:
    intervals = {"limit_train_batches": 4, "val_check_interval": 2, "check_val_every_n_epoch": check_val_every_n_epoch}
    lines, weights, _ = trained(tmp_path / "unbroken", every_n_steps=None, max_steps=10, **intervals)
    first, ended, _ = trained(tmp_path, every_n_steps=None, max_steps=steps, **intervals)
    path = str(tmp_path / "last.ckpt")
    saved = torch.load(path, weights_only=True)
    assert saved["global_step"] == steps
    assert all(torch.equal(saved["state_dict"][name], ended[name]) for name in ended)
    second, found, _ = trained(tmp_path, ckpt_path=path, every_n_steps=None, max_steps=10, **intervals)
    batches = [line for line in lines if isinstance(line[0], int)]
    assert [line for line in first + second if isinstance(line[0], int)] == batches
    assert all(torch.equal(weights[name], found[name]) for name in weights)
