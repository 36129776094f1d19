"""What every classifier refuses: sizes that make no network, and batches whose labels are no classes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from dlmodules import (
    BackboneClassifier,
    CapsNetClassifier,
    CNNClassifier,
    DBNClassifier,
    DenseNetClassifier,
    EstimatorClassifier,
    LogisticRegression,
    MatrixCapsNetClassifier,
    MLPClassifier,
    MLPRegression,
    RNNClassifier,
    TextClassifier,
    YNetworkClassifier,
)
from dlmodules.classifiers.classifier import Classifier
from dlmodules.classifiers.text_networks import BagOfWords, TextRNN
from dlmodules.errors import UserError
from dlmodules.validation import arguments as checks


@pytest.mark.parametrize(
    ("made", "arguments", "message"),
    [
        (MLPClassifier, {"num_classes": 1}, "num_classes is 1; it must be 2 or more"),
        (EstimatorClassifier, {"num_classes": 1}, "num_classes is 1; it must be 2 or more"),
        (TextClassifier, {"num_classes": 0}, "num_classes is 0; it must be 2 or more"),
        (MLPClassifier, {"hidden_dims": [256, 0]}, r"hidden_dims is \[256, 0\]; it must be numbers of 1 or more"),
        (MLPRegression, {"hidden_dims": [-1]}, r"hidden_dims is \[-1\]"),
        (DBNClassifier, {"hidden_dims": []}, r"hidden_dims is \[\]; .* at least 1 of them"),
        (CNNClassifier, {"filters": []}, r"filters is \[\]; .* at least 1 of them"),
        (CNNClassifier, {"filters": [0]}, r"filters is \[0\]"),
        (YNetworkClassifier, {"filters": []}, r"filters is \[\]"),
        (YNetworkClassifier, {"dilation": 0}, "dilation is 0; it must be 1 or more"),
        (RNNClassifier, {"num_layers": 0}, "num_layers is 0; it must be 1 or more"),
        (RNNClassifier, {"hidden_dim": 0}, "hidden_dim is 0; it must be 1 or more"),
        (DenseNetClassifier, {"growth_rate": 0}, "growth_rate is 0; it must be 1 or more"),
        (CapsNetClassifier, {"iterations": 0}, "iterations is 0; it must be 1 or more"),
        (CapsNetClassifier, {"decoder_dims": [0]}, r"decoder_dims is \[0\]"),
        (MatrixCapsNetClassifier, {"margin_steps": 0}, "margin_steps is 0; it must be 1 or more"),
        (MatrixCapsNetClassifier, {"capsules": [8, 0, 8]}, r"capsules is \[8, 0, 8\]"),
        (BagOfWords, {"hidden_dim": 0}, "hidden_dim is 0; it must be 1 or more"),
        (TextRNN, {"embedding_dim": 0}, "embedding_dim is 0; it must be 1 or more"),
    ],
)
def test_a_size_that_makes_no_network_is_named(made: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        made(**arguments)


def test_no_hidden_layer_leaves_a_linear_classifier() -> None:
    assert sum(p.numel() for p in MLPClassifier((4,), 3, hidden_dims=[]).parameters()) == 15


@pytest.mark.parametrize("step", ["training_step", "validation_step", "test_step"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, -100]), r"outside 0..2 \(labels here: -100..0\)"),  # which cross-entropy would pass over
        (torch.tensor([0.5, 1.5]), r"the labels are torch.float32 \[2\]; LogisticRegression needs 2 whole numbers"),
        (torch.zeros(2, 5, dtype=torch.int64), r"the labels are torch.int64 \[2, 5\]"),
    ],
)
def test_labels_that_are_no_classes_are_named(step: str, labels: torch.Tensor, message: str) -> None:
    module = LogisticRegression(input_shape=(4,), num_classes=3)
    with pytest.raises(UserError, match=message):
        getattr(module, step)((torch.rand(2, 4), labels), 1)


def test_a_fault_of_the_network_is_not_laid_on_the_labels() -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return [x][1]

    module = Classifier(Broken(), 3, lambda p: torch.optim.SGD(p, lr=0.1))
    with pytest.raises(IndexError):
        module.training_step((torch.rand(2, 4), torch.tensor([0, 1])), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "alexnet"}, r"alexnet cannot read images of 28x28 .*: set image_size, to 224 for instance"),
        ({"backbone": "vit_b_16"}, r"vit_b_16 cannot read images of 28x28 .*: set image_size, to 224 for instance"),
        ({"image_size": 0}, "image_size is 0; it must be 1 or more"),
        ({"input_shape": (4, 28, 28)}, r"the images have 4 channels; BackboneClassifier reads 1 or 3"),
    ],
)
def test_images_that_a_backbone_cannot_read(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        BackboneClassifier(**{"input_shape": (1, 28, 28)} | arguments)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: checks.check_at_least(2, a=2, b=1.5), "b is 1.5; it must be 2 or more"),
        (lambda: checks.check_at_least(0, a=float("nan")), "a is nan; it must be 0 or more"),
        (lambda: checks.check_at_least_one(a=1, b=0), "b is 0; it must be 1 or more"),
        (lambda: checks.check_positive(a=0.1, b=0.0), "b is 0.0; it must be more than 0"),
        (lambda: checks.check_fractions(a=0.0, b=1.0, c=1.1), r"c is 1.1; it must lie in \[0, 1\]"),
        (lambda: checks.check_amounts("rows", a=0, b=0.5, c=1.0), r"c is 1.0; it must be a number of rows or a frac"),
        (lambda: checks.check_amounts("rows", a=-1), r"a is -1; it must be a number of rows or a fraction in \(0, 1\)"),
        (lambda: checks.check_dropout(1.0), r"dropout is 1.0; it must lie in \[0, 1\)"),
    ],
)
def test_the_first_wrong_argument_is_named_with_what_it_must_be(check: Callable[[], None], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check()


def test_an_argument_that_is_not_set_passes() -> None:
    checks.check_at_least(2, a=None)
    checks.check_positive(a=None)
    checks.check_fractions(a=None)
