"""A loss that is no number stops the run and is named."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.training.finite import require_finite


def test_finite_losses_pass():
    require_finite({"a": torch.tensor(1.0), "b": torch.tensor(-3.0)}, step=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_first_that_is_not_finite_is_named_with_its_step(value):
    losses = {"train/a": torch.tensor(1.0), "train/b": torch.tensor(value), "train/c": torch.tensor(float("nan"))}
    with pytest.raises(UserError, match=r"^train/b is -?(nan|inf) at step 12;"):
        require_finite(losses, step=12)


def test_infinities_of_both_signs_do_not_hide_each_other():
    with pytest.raises(UserError, match="train/a is inf"):
        require_finite({"train/a": torch.tensor(float("inf")), "train/b": torch.tensor(float("-inf"))}, step=0)
