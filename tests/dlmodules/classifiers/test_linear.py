"""Logistic regression and the perceptron: their steps by hand, and what they can and cannot learn."""

import pytest
import pytorch_lightning as pl
import torch

from datamodules import IrisDataModule, XORDataModule
from datamodules.tables.rows import RowDataModule
from dlmodules import LogisticRegression, Perceptron
from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def with_weights(module: Classifier, weight: list[list[float]]) -> Classifier:
    with torch.no_grad():
        module.network.linear.weight.copy_(torch.tensor(weight))
        module.network.linear.bias.zero_()
    return module


def step(module: Classifier, x: list[list[float]], y: list[int]) -> tuple[list[list[float]], list[float]]:
    """Do one training step and return weight and bias."""
    optimizer = module.configure_optimizers()
    optimizer.zero_grad()
    module.training_step((torch.tensor(x), torch.tensor(y)), 0).backward()
    optimizer.step()
    return module.network.linear.weight.tolist(), module.network.linear.bias.tolist()


def fit(module: Classifier, data: RowDataModule, epochs: int, folder: object) -> pl.Trainer:
    trainer = quiet_trainer(max_epochs=epochs, default_root_dir=folder)
    trainer.fit(module, data)
    return trainer


def test_parameter_counts():
    assert sum(p.numel() for p in LogisticRegression().parameters()) == 14
    assert sum(p.numel() for p in Perceptron().parameters()) == 8
    assert sum(p.numel() for p in LogisticRegression([4], 3).parameters()) == 15


def test_two_classes_are_a_sigmoid():
    module = LogisticRegression([2], 2)
    x = torch.randn(5, 2)
    weight, bias = module.network.linear.weight, module.network.linear.bias
    sigmoid = torch.sigmoid(x @ (weight[1] - weight[0]) + bias[1] - bias[0])
    assert torch.allclose(module.probabilities(module(x))[:, 1], sigmoid)


def test_a_step_of_logistic_regression():
    """From zero weights the probability is 1/2, so class 1 gains rate * (1 - 1/2) * x and class 0 loses it."""
    module = with_weights(LogisticRegression([2], 2), [[0.0, 0.0], [0.0, 0.0]])
    weight, bias = step(module, [[1.0, 2.0]], [1])
    assert weight == [pytest.approx([-0.05, -0.1]), pytest.approx([0.05, 0.1])]
    assert bias == pytest.approx([-0.05, 0.05])


def test_the_perceptron_learns_from_a_mistake_alone():
    module = with_weights(Perceptron([2], 2), [[0.0, 0.0], [1.0, 0.0]])
    assert step(module, [[1.0, 2.0]], [1]) == ([[0.0, 0.0], [1.0, 0.0]], [0.0, 0.0])
    assert step(module, [[1.0, 2.0]], [0]) == ([[1.0, 2.0], [0.0, -2.0]], [1.0, -1.0])


def test_a_tie_that_is_lost_is_a_mistake():
    module = with_weights(Perceptron([2], 3), [[0.0, 0.0]] * 3)  # the first class wins a tie
    weight, bias = step(module, [[1.0, 2.0]], [2])
    assert weight == [[-1.0, -2.0], [0.0, 0.0], [1.0, 2.0]]
    assert bias == [-1.0, 0.0, 1.0]


def test_the_loss_is_the_mean_lead_over_the_right_class():
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 5.0]])
    assert Perceptron([2], 3).loss(logits, torch.tensor([1, 2])).item() == (3.0 - 1.0 + 0.0) / 2


@pytest.mark.parametrize("cls", [LogisticRegression, Perceptron])
def test_wrong_inputs_and_labels_are_named(cls):
    with pytest.raises(UserError, match=r"the inputs are \[3\] but \w+ was built for \[4\]; pass --model.input_shape"):
        cls([4], 3).training_step((torch.rand(2, 3), torch.tensor([0, 1])), 0)
    with pytest.raises(UserError, match=r"outside 0..2 \(labels here: 1..3\)"):
        cls([4], 3).training_step((torch.rand(2, 4), torch.tensor([1, 3])), 0)


@pytest.mark.learning
def test_logistic_regression_tells_irises_apart(tmp_path):
    pl.seed_everything(0)
    module, data = LogisticRegression([4], 3), IrisDataModule(standardize=True)
    trainer = fit(module, data, 30, tmp_path)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] > 0.9


class TwoSpecies(IrisDataModule):
    """Setosa, which a plane separates from the others, against virginica."""

    def load(self):
        x, y = super().load()
        return x[y != 1], (y[y != 1] > 0).astype("int64")


@pytest.mark.learning
def test_the_perceptron_converges_where_a_plane_separates(tmp_path):
    """From zero weights, where all is class 0, which about half of the rows are not."""
    pl.seed_everything(0)
    module, data = with_weights(Perceptron([4], 2), [[0.0] * 4] * 2), TwoSpecies(batch_size=1, val_size=0)
    trainer = fit(module, data, 20, tmp_path)
    settled = module.network.linear.weight.clone()
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] == 1.0
    fit(module, data, 2, tmp_path)
    assert torch.equal(module.network.linear.weight, settled)  # no mistakes, no changes


@pytest.mark.learning
@pytest.mark.parametrize("cls", [LogisticRegression, Perceptron])
def test_no_plane_separates_exclusive_or(cls, tmp_path):
    pl.seed_everything(0)
    module, data = cls([2], 2), XORDataModule()
    trainer = fit(module, data, 30, tmp_path)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] <= 0.75
