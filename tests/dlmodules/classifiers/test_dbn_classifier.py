"""A classifier whose layers learn as machines first."""

from functools import partial

import pytest
import pytorch_lightning as pl
import torch

from datamodules import DigitsDataModule
from dlmodules import DBNClassifier
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def test_parameter_count():
    assert sum(p.numel() for p in DBNClassifier().parameters()) == 1_666_794


def test_it_is_a_sigmoid_network():
    module = DBNClassifier((1, 2, 2), 3, (5, 4))
    x = torch.rand(2, 1, 2, 2)
    first, second = module.network.stack.layers
    units = torch.sigmoid(second.up(torch.sigmoid(first.up(x.flatten(1)))))
    torch.testing.assert_close(module(x), module.network.head(units))
    torch.testing.assert_close(module.features(x), units)
    with pytest.raises(UserError, match="it must be numbers of 1 or more, one for each layer"):
        DBNClassifier(hidden_dims=())


class Moved(pl.Callback):
    """Notes after each epoch which parameters moved in it."""

    def __init__(self):
        self.moved = []

    def on_train_epoch_start(self, trainer, pl_module):
        self.before = {name: p.detach().clone() for name, p in pl_module.named_parameters()}

    def on_train_epoch_end(self, trainer, pl_module):
        after = dict(pl_module.named_parameters())
        self.moved.append({name for name, old in self.before.items() if not torch.equal(old, after[name])})


def fit(module, epochs, folder, **more):
    trainer = quiet_trainer(max_epochs=epochs, default_root_dir=folder, **more)
    data = DigitsDataModule(batch_size=32, image_size=8)
    trainer.fit(module, data)
    return trainer, data


def test_one_machine_after_the_other_and_then_all_but_the_way_down(tmp_path):
    moved = Moved()
    module = DBNClassifier((1, 8, 8), hidden_dims=(6, 5), pretraining_epochs=1)
    fit(module, 3, tmp_path, limit_train_batches=3, callbacks=[moved])

    def machine(index):
        name = f"network.stack.layers.{index}"
        return {f"{name}.up.weight", f"{name}.up.bias", f"{name}.visible_bias"}

    way_up = {name for name in machine(0) | machine(1) if "visible" not in name}
    assert moved.moved == [machine(0), machine(1), way_up | {"network.head.weight", "network.head.bias"}]


def test_the_fine_tuning_begins_with_an_optimizer_that_has_seen_nothing(tmp_path):
    module = DBNClassifier((1, 8, 8), hidden_dims=(6, 5), pretraining_epochs=1)
    seen = []

    class Looking(pl.Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            seen.append([len(optimizer.state) for optimizer in trainer.optimizers])

    trainer, _ = fit(module, 4, tmp_path, limit_train_batches=3, callbacks=[Looking()])
    pretraining, fine_tuning = zip(*seen, strict=True)
    assert fine_tuning == (0, 0, 0, 6)  # two layers and the head: weights and biases
    assert pretraining == (0, 3, 6, 6)
    assert trainer.global_step == 12


def test_the_schedule_is_that_of_the_fine_tuning(tmp_path):
    halving = partial(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    module = DBNClassifier((1, 8, 8), hidden_dims=(6,), pretraining_epochs=2, scheduler=halving)
    trainer, _ = fit(module, 5, tmp_path, limit_train_batches=1)
    machines, fine_tuning = (optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers)
    assert fine_tuning == pytest.approx(1e-3 / 8)
    assert machines == module.pretraining_optimizer([torch.nn.Parameter(torch.zeros(1))]).defaults["lr"]


@pytest.mark.learning
@pytest.mark.parametrize(("pretraining_epochs", "least"), [(0, 0.55), (5, 0.75)])
def test_it_classifies_held_out_digits(pretraining_epochs, least, tmp_path):
    """At the shipped settings. One optimizer for both parts leaves the pretrained network near chance."""
    pl.seed_everything(0)
    module = DBNClassifier((1, 8, 8), hidden_dims=(200, 200, 400), pretraining_epochs=pretraining_epochs)
    trainer, data = fit(module, 3 * pretraining_epochs + 5, tmp_path)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] > least
