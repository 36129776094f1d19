"""Losses are logged at logging steps only, and a run stops at any step where one is no number."""

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from dlmodules.errors import UserError
from dlmodules.training.batches import inputs_of
from dlmodules.training.step_logging import log_losses
from tests.quiet import quiet_trainer


class Module(pl.LightningModule):
    def __init__(self, bad_step=None):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.bad_step = bad_step

    def training_step(self, batch, batch_idx):
        loss = self.layer(batch).mean()
        log_losses(self, {"train/loss": loss * float("nan") if batch_idx == self.bad_step else loss})
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(module, tmp_path):
    trainer = quiet_trainer(max_epochs=1, log_every_n_steps=3, logger=pl.loggers.CSVLogger(tmp_path, version=0))
    trainer.fit(module, DataLoader(torch.ones(14, 1), batch_size=2))
    return (tmp_path / "lightning_logs" / "version_0" / "metrics.csv").read_text().splitlines()


def test_losses_reach_the_loggers_at_logging_steps(tmp_path):
    header, *rows = fit(Module(), tmp_path)
    assert "train/loss" in header.split(",")
    assert [int(row.split(",")[header.split(",").index("step")]) for row in rows] == [2, 5]


def test_a_loss_that_is_no_number_stops_the_run_between_logging_steps(tmp_path):
    with pytest.raises(UserError, match="train/loss is nan at step 1;"):
        fit(Module(bad_step=1), tmp_path)


def test_by_hand_nothing_is_logged_and_the_loss_is_still_checked():
    log_losses(Module(), {"train/loss": torch.tensor(1.0)})
    with pytest.raises(UserError, match="train/loss is inf at step 0;"):
        log_losses(Module(), {"train/loss": torch.tensor(float("inf"))})


def test_the_inputs_of_a_batch_are_its_first_field_or_the_batch_itself():
    x, y = torch.zeros(2, 3), torch.ones(2)
    assert inputs_of((x, y)) is x
    assert inputs_of([x]) is x
    assert inputs_of(x) is x
