"""The MLP classifier: the book's parameter count, its loss, and that it learns."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from datamodules import DigitsDataModule
from dlmodules import MLPClassifier
from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def test_parameter_count_is_the_books():
    assert sum(p.numel() for p in MLPClassifier().parameters()) == 269_322


def test_loss_is_the_mean_cross_entropy():
    module = MLPClassifier(num_classes=2)
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])  # probabilities 3/4 and 1/2 for class 0
    expected = -(math.log(0.75) + math.log(0.5)) / 2
    assert module.loss(logits, torch.tensor([0, 0])).item() == pytest.approx(expected, abs=1e-6)


def test_dropout_is_off_in_evaluation_and_features_are_the_last_hidden_layer():
    module = MLPClassifier()
    x = torch.rand(3, 1, 28, 28)
    assert not torch.equal(module(x), module(x))
    module.eval()
    assert torch.equal(module(x), module(x))
    assert module.features(x).shape == (3, 256)
    assert torch.allclose(module.network.head(module.features(x)), module(x))


def test_a_label_outside_the_range_is_named():
    module = MLPClassifier(num_classes=5)
    with pytest.raises(UserError, match=r"outside 0..4 \(labels here: 2..7\)"):
        module.training_step((torch.rand(2, 1, 28, 28), torch.tensor([2, 7])), 0)


def test_any_network_can_be_classified_with():
    module = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), 3, lambda p: torch.optim.SGD(p, lr=0.1))
    assert module(torch.rand(2, 3, 2, 2)).shape == (2, 3)


@pytest.mark.learning
def test_it_reads_held_out_digits(tmp_path):
    """Six epochs on 1,297 digits; with the loss's sign flipped or no update it stays near 10 %."""
    pl.seed_everything(0)
    trainer = quiet_trainer(max_epochs=6, default_root_dir=tmp_path)
    module, data = MLPClassifier(), DigitsDataModule(batch_size=32)
    trainer.fit(module, data)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] > 0.93
