"""The counting of steps, and the private hooks of Lightning that it leans on."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch.utils.data import DataLoader

from dlmodules.training.one_step import one_global_step
from tests.quiet import quiet_trainer


def test_the_private_hooks_are_still_there():
    optimizer = LightningOptimizer(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1))
    assert callable(optimizer._on_before_step)
    assert callable(optimizer._on_after_step)


class Manual(pl.LightningModule):
    """Does as many optimizer steps in a training step as it is told."""

    automatic_optimization = False

    def __init__(self, steps, count_once):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.steps, self.count_once, self.seen = steps, count_once, []

    def training_step(self, batch, batch_idx):
        self.seen.append(self.global_step)
        if self.count_once:
            with one_global_step(self):
                self._descend(batch)
        else:
            self._descend(batch)

    def _descend(self, batch):
        for _ in range(self.steps):
            self.optimizers().zero_grad()
            self.manual_backward(self.layer(batch).sum())
            self.optimizers().step()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(module, tmp_path, **kwargs):
    run = quiet_trainer(**kwargs, default_root_dir=tmp_path)
    run.fit(module, DataLoader(torch.ones(6, 1)))
    return run


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_any_number_of_optimizer_steps_is_one(tmp_path, steps):
    module = Manual(steps, count_once=True)
    assert fit(module, tmp_path, max_epochs=2).global_step == 12
    assert module.seen == list(range(12))
    weight = module.layer.weight.item()
    assert fit(Manual(steps, count_once=True), tmp_path, max_steps=5).global_step == 5
    if steps == 0:
        assert weight == module.layer.weight.item()


def test_lightning_alone_counts_each_of_them(tmp_path):
    # Where this fails, Lightning has learned to count and `one_global_step` can go.
    assert fit(Manual(4, count_once=False), tmp_path, max_epochs=1).global_step == 24
