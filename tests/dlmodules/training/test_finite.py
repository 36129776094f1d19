"""A loss that is no number stops the run and is named."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn

from dlmodules.errors import UserError
from dlmodules.training import finite
from dlmodules.training.finite import require_finite
from dlmodules.training.step_logging import log_losses


def require(losses, step):
    require_finite(nn.Identity(), losses, step, wait=False)


def test_finite_losses_pass():
    require({"a": torch.tensor(1.0), "b": torch.tensor(-3.0)}, step=0)
    require({}, step=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_first_that_is_not_finite_is_named_with_its_step(value):
    losses = {"train/a": torch.tensor(1.0), "train/b": torch.tensor(value), "train/c": torch.tensor(float("nan"))}
    with pytest.raises(UserError, match=r"^train/b is -?(nan|inf) at step 12;"):
        require(losses, step=12)


def test_infinities_of_both_signs_do_not_hide_each_other():
    with pytest.raises(UserError, match="train/a is inf"):
        require({"train/a": torch.tensor(float("inf")), "train/b": torch.tensor(float("-inf"))}, step=0)


class Diverging(pl.LightningModule):
    """Has a loss that is no number from a step on."""

    def __init__(self, from_step):
        super().__init__()
        self.from_step = from_step
        self.weight = nn.Parameter(torch.ones(()))

    def training_step(self, batch, batch_idx):
        loss = self.weight * (float("nan") if self.global_step >= self.from_step else 1.0)
        log_losses(self, {"train/loss": loss})
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def looks(monkeypatch):
    """Treat losses as those of an accelerator, and count the looks at them."""
    found = []
    look = finite._look
    monkeypatch.setattr(finite, "may_read", lambda loss: False)
    monkeypatch.setattr(finite, "_look", lambda steps: (found.append([step for _, step in steps]), look(steps)))
    return found


def fit(folder, every_n_steps, log_every_n_steps, from_step=2):
    saving = ModelCheckpoint(folder, filename="{step}", save_top_k=-1, every_n_train_steps=every_n_steps)
    trainer = pl.Trainer(
        max_steps=12,
        log_every_n_steps=log_every_n_steps,
        callbacks=[saving],
        logger=False,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Diverging(from_step), torch.utils.data.DataLoader(torch.zeros(12)))


def test_losses_of_an_accelerator_are_read_together_at_logging_steps(tmp_path, looks):
    with pytest.raises(UserError, match="train/loss is nan at step 2;"):
        fit(tmp_path, every_n_steps=100, log_every_n_steps=5)
    assert looks == [[0, 1, 2, 3, 4]]


def test_losses_of_an_accelerator_are_read_before_weights_are_saved(tmp_path, looks):
    with pytest.raises(UserError, match="train/loss is nan at step 2;"):
        fit(tmp_path, every_n_steps=2, log_every_n_steps=100)
    assert looks == [[0, 1], [2, 3]]
    assert [path.name for path in tmp_path.glob("*.ckpt")] == ["step=2.ckpt"]


def test_finite_losses_of_an_accelerator_are_read_once(tmp_path, looks):
    fit(tmp_path, every_n_steps=4, log_every_n_steps=6, from_step=100)
    assert [steps for steps in looks if steps] == [[0, 1, 2, 3], [4, 5], [6, 7], [8, 9, 10, 11]]
