import math

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.sequences.decoding import Decoding, keep_top_k, keep_top_p, penalize_repetition

# Probabilities .5, .25, .15, .1 in an order of their own.
LOGITS = torch.tensor([[0.15, 0.5, 0.1, 0.25]]).log()


def probabilities(logits: torch.Tensor) -> list[float]:
    return logits.softmax(dim=1)[0].tolist()


def test_top_k_keeps_the_largest_and_their_proportions() -> None:
    assert probabilities(keep_top_k(LOGITS, 2)) == pytest.approx([0, 2 / 3, 0, 1 / 3])
    assert probabilities(keep_top_k(LOGITS, 9)) == pytest.approx([0.15, 0.5, 0.1, 0.25])


def test_top_p_keeps_the_fewest_that_have_the_mass() -> None:
    assert probabilities(keep_top_p(LOGITS, 0.5)) == pytest.approx([0, 1, 0, 0])
    assert probabilities(keep_top_p(LOGITS, 0.51)) == pytest.approx([0, 2 / 3, 0, 1 / 3])
    assert probabilities(keep_top_p(LOGITS, 0.76)) == pytest.approx([1 / 6, 5 / 9, 0, 5 / 18])
    assert probabilities(keep_top_p(LOGITS, 1.0)) == pytest.approx([0.15, 0.5, 0.1, 0.25])
    assert probabilities(keep_top_p(LOGITS, 1e-9)) == pytest.approx([0, 1, 0, 0])  # never none at all


def test_temperature_sharpens_and_0_is_greedy() -> None:
    squared = [0.0225, 0.25, 0.01, 0.0625]
    expected = [value / sum(squared) for value in squared]
    assert probabilities(Decoding(temperature=0.5).filtered(LOGITS)) == pytest.approx(expected)
    assert Decoding(temperature=0).choose(LOGITS.repeat(3, 1)).tolist() == [1, 1, 1]


def test_repetition_penalty_divides_positive_logits_and_multiplies_negative_ones() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5, -3.0]])
    penalized = penalize_repetition(logits, torch.tensor([[0, 1, 1]]), 2.0)
    assert penalized.tolist() == [[1.0, -2.0, 0.5, -3.0]]
    greedy = Decoding(temperature=0, repetition_penalty=5.0)
    assert greedy.choose(logits, torch.tensor([[0]])).tolist() == [2]
    assert greedy.choose(logits, torch.zeros(1, 0, dtype=torch.int64)).tolist() == [0]


def test_draws_have_the_probabilities() -> None:
    drawn = Decoding(top_k=3).choose(LOGITS.repeat(20_000, 1), generator=torch.Generator().manual_seed(0))
    found = torch.bincount(drawn, minlength=4) / 20_000
    expected = torch.tensor([0.15, 0.5, 0.0, 0.25]) / 0.9
    assert torch.allclose(found, expected, atol=4 * math.sqrt(0.25 / 20_000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0; it must be 0, which is greedy, or more"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0; it must be 1 or more"),
        ({"top_p": 0.0}, r"top_p is 0.0; it must lie in \(0, 1\]"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"repetition_penalty": 0.0}, "repetition_penalty is 0.0; it must be more than 0"),
    ],
)
def test_numbers_out_of_range(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Decoding(**arguments)  # type: ignore[arg-type]
