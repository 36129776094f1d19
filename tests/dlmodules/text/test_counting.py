"""The network that counts: a step by hand, the book's runs as the trainer makes them, and that it learns to count."""

import csv

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from datamodules import BitCountsDataModule
from dlmodules import CountingRNN
from dlmodules.errors import UserError
from dlmodules.layers import VanillaCell
from dlmodules.text.backpropagation_through_time import gradients
from tests.quiet import quiet_trainer


def weights(module):
    return module.network.U.item(), module.network.W.item()


def test_two_parameters_from_the_books_start():
    module = CountingRNN()
    assert sum(p.numel() for p in module.parameters()) == 2
    assert weights(module) == (-2, 0)
    optimizer = module.configure_optimizers()
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.defaults["lr"] == 0.0005


def test_ones_count():
    module = CountingRNN(start=(1.0, 1.0))
    x, y = module.example_batch(1023)
    assert torch.equal(module(x), y)
    assert len(x.unique(dim=0)) == 1023


def test_it_is_the_linear_vanilla_cell():
    module, cell = CountingRNN(start=(0.7, -0.9)), VanillaCell(1, 1, "identity")
    nn.init.constant_(cell.from_input.weight, 0.7)
    nn.init.constant_(cell.from_state.weight, -0.9)
    x, _ = module.example_batch(20)
    assert torch.allclose(module(x), cell(x[..., None])[1][0][:, 0])


def test_a_step_is_backpropagation_through_time_by_hand():
    module = CountingRNN(start=(0.7, 0.9))
    x, y = module.example_batch(20)
    loss = module.training_step((x, y), 0)
    loss.backward()
    expected = gradients(x, y, 0.7, 0.9)
    assert loss.item() == pytest.approx(expected.loss.item(), rel=1e-5)
    assert module.network.U.grad.item() == pytest.approx(expected.u.item(), rel=1e-5)
    assert module.network.W.grad.item() == pytest.approx(expected.w.item(), rel=1e-5)


def fit(folder, sequence, epochs=150, **options):
    """Train on one of the book's sequences, in double precision; return the module and what was logged of it."""
    logger = CSVLogger(folder, flush_logs_every_n_steps=1)
    trainer = quiet_trainer(
        max_epochs=epochs, logger=logger, log_every_n_steps=1, precision="64-true", limit_val_batches=0, **options
    )
    module = CountingRNN()
    try:
        trainer.fit(module, BitCountsDataModule(sequence, batch_size=1))
    finally:
        logger.save()
        with open(f"{logger.log_dir}/metrics.csv") as file:
            rows = list(csv.DictReader(file))
        module.logged = {name: [float(row[name]) for row in rows if row[name]] for name in rows[0]}
    return module


def test_the_books_run_fits_its_sequence_and_cannot_count(tmp_path):
    module = fit(tmp_path, "ten")
    logged = module.logged
    assert logged["train/loss"][0] == 9
    assert logged["train/loss"][149] == pytest.approx(0.0011, abs=5e-5)
    assert weights(module) == pytest.approx((-2.089, -0.753), abs=5e-4)
    # The first gradients by hand: only the last bit counts while W is 0, and it is 0; that before it is 1.
    assert [logged[f"train/{name}"][0] for name in ("U", "W", "U_gradient", "W_gradient")] == [-2, 0, 0, 12]
    assert logged["train/W"][1] == pytest.approx(-0.0005 * 12)
    found = quiet_trainer().test(module.float(), BitCountsDataModule(), verbose=False)[0]
    assert found["test/rmse"] > 10  # half the number of bits has 3.2
    assert found["test/accuracy"] < 0.05


def test_forty_bits_blow_up_and_end_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"train/loss is inf at step 26; .* clip gradients"):
        fit(tmp_path, "forty")


def test_the_printed_forty_one_bits_do_not_blow_up(tmp_path):
    module = fit(tmp_path, "forty_one")
    assert module.logged["train/loss"][24] == pytest.approx(77, abs=0.5)
    assert module.logged["train/loss"][149] == pytest.approx(43.1, abs=0.05)
    assert weights(module)[1] == pytest.approx(-0.835, abs=5e-4)


def test_with_clipped_gradients_forty_bits_go_on_and_are_fitted(tmp_path):
    module = fit(tmp_path, "forty", gradient_clip_val=25.0)
    assert module.logged["train/loss"][0] == 144
    assert max(module.logged["train/loss"][-10:]) < 2  # one count is off by less than 1.5 of 12
    gradient = zip(module.logged["train/U_gradient"], module.logged["train/W_gradient"], strict=True)
    assert max(abs(u) + abs(w) for u, w in gradient) > 100  # logged as they are, not as they are clipped


def test_another_network_may_have_matrices(tmp_path):
    class Last(nn.Linear):
        def forward(self, x):
            return super().forward(x)[:, 0]

    module = CountingRNN()
    module.network = Last(10, 1)
    trainer = quiet_trainer(max_steps=1, log_every_n_steps=1, limit_val_batches=0, logger=CSVLogger(tmp_path))
    trainer.fit(module, BitCountsDataModule())
    assert {"train/loss", "train/bias", "train/bias_gradient"} == trainer.logged_metrics.keys() - {"epoch", "step"}


def test_metrics_by_hand(tmp_path):
    """With U = W = 1 the outputs are the sums 1, 2 and 1.25; the targets 1, 4 and 1: squared errors 0, 4, 1/16."""
    rows = TensorDataset(torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 0.25]]), torch.tensor([1.0, 4.0, 1.0]))
    trainer = quiet_trainer(default_root_dir=tmp_path)
    found = trainer.test(CountingRNN(start=(1.0, 1.0)), DataLoader(rows, batch_size=2), verbose=False)[0]
    assert found["test/rmse"] == pytest.approx((4.0625 / 3) ** 0.5)
    assert found["test/accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (torch.zeros(2, 1, 28, 28), torch.zeros(2)),
        (torch.zeros(2, 9, dtype=torch.int64), torch.zeros(2)),
        (torch.zeros(2, 9), torch.zeros(2, 1)),
    ],
)
def test_other_batches_are_named(x, y):
    with pytest.raises(UserError, match=r"takes sequences of numbers \(B, T\) .* such as BitCountsDataModule"):
        CountingRNN().training_step((x, y), 0)


@pytest.mark.learning
def test_it_learns_to_count_from_random_sequences(tmp_path):
    """Sequences of 10 bits teach to count 40; half the number of bits has an error of 3.2 and is right for one in 8."""
    pl.seed_everything(0)
    trainer = quiet_trainer(max_epochs=100, limit_val_batches=0, default_root_dir=tmp_path)
    module, data = CountingRNN(start=(0.0, 0.0)), BitCountsDataModule()
    trainer.fit(module, data)
    assert weights(module) == pytest.approx((1, 1), abs=0.005)
    found = trainer.test(module, data, verbose=False)[0]
    assert found["test/rmse"] < 0.3
    assert found["test/accuracy"] > 0.95
