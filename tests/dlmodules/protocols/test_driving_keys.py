import pytest
import torch

from dlmodules.protocols.driving_keys import KEYS, NAMES, actions_of, keys_of


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ((0.0, 0.2, 0.0), "none"),
        ((0.3, 0.9, 0.0), "gas"),
        ((0.3, 0.9, 0.2), "brake"),
        ((-0.4, 0.9, 0.1), "left"),
        ((-0.4, 0.0, 0.2), "left and brake"),
        ((0.4, 0.9, 0.0), "right"),
        ((1.0, 0.0, 1.0), "right and brake"),
    ],
)
def test_an_action_is_of_the_nearest_keys(action: tuple[float, float, float], name: str) -> None:
    assert NAMES[int(keys_of(torch.tensor([action])))] == name


def test_keys_are_their_own() -> None:
    numbers = torch.arange(len(KEYS))
    assert torch.equal(keys_of(actions_of(numbers)), numbers)
