"""A dream that a person steers, without the page."""

import numpy as np
import pytest
import torch

from dlmodules import MDNRNN, VAE
from dlmodules.errors import UserError
from dlmodules_cli.explore import steering
from dlmodules_cli.explore.subject import Subject, subject_of


def subject(discrete: bool = True, action_dim: int = 3, end: float = 0.0) -> Subject:
    torch.manual_seed(0)
    world = MDNRNN(
        VAE((1, 8, 8), latent_dim=2),
        **{"latent_dim": 2, "action_dim": action_dim, "hidden_dim": 4, "discrete": discrete},
        **{"reward_input": False, "rewards": False, "ends": True},
    )
    with torch.no_grad():
        world.network.head.weight[-1] = 0
        world.network.head.bias[-1] = 50.0 if end else -50.0
    return subject_of(world.eval())


def test_what_dreams_and_decodes_can_be_steered() -> None:
    assert steering.can_dream(subject())
    assert not steering.can_dream(subject_of(VAE((1, 8, 8), latent_dim=2).eval()))


@pytest.mark.parametrize(
    ("action_dim", "names"), [(2, ["0", "1"]), (3, ["←", "space", "→"]), (4, ["0", "1", "2", "3"])]
)
def test_numbered_actions_have_arrows_or_numbers(action_dim: int, names: list[str]) -> None:
    actions = steering.actions_of(subject(action_dim=action_dim).module)
    assert list(actions) == names
    assert list(actions.values()) == list(range(action_dim))


def test_a_car_is_steered_to_both_sides_and_has_two_pedals() -> None:
    world = subject(discrete=False).module
    world.action_bounds.copy_(torch.tensor([[-1.0, 0.0, 0.0], [1.0, 1.0, 0.8]]))
    actions = {name: action.tolist() for name, action in steering.actions_of(world).items()}
    assert actions == {
        "space": [0, 0, 0],
        "←": [-1, 0, 0],
        "→": [1, 0, 0],
        "↑": [0, 1, 0],
        "↓": [0, 0, pytest.approx(0.8)],
    }
    pendulum = subject(discrete=False, action_dim=1).module
    assert list(steering.actions_of(pendulum)) == ["space", "←", "→"]


@pytest.mark.parametrize("discrete", [True, False])
def test_the_same_seed_and_the_same_actions_give_the_same_dream(discrete: bool) -> None:
    model = subject(discrete)
    first, second, other = (steering.begin(model, seed) for seed in (3, 3, 4))
    assert not np.allclose(first.seen, other.seen)
    for name in ("←", "→", "→"):
        first = steering.go_on(model, first, name, 2, 1.2)
        second = steering.go_on(model, second, name, 2, 1.2)
        assert np.array_equal(first.seen, second.seen)
    assert (first.steps, first.paid, first.over) == (6, 6.0, False)
    assert steering.dream_text(first) == "step 6 · paid 6 · goes on"
    frame = steering.dream_picture(model, first)
    assert frame.ndim == 2
    assert not np.array_equal(frame, steering.dream_picture(model, other))


def test_a_dream_that_ends_shows_its_last_frame_and_does_not_go_on() -> None:
    model = subject(end=1.0)
    begun = steering.begin(model, 0)
    dream = steering.go_on(model, begun, "space", 5, 1.0)
    assert (dream.steps, dream.over) == (1, True)
    assert (dream.seen[:, 2:] != 0).all()  # not the beginning of the next one, which remembers nothing
    assert steering.dream_text(dream) == "step 1 · paid 1 · **over**"
    with pytest.raises(UserError, match="the dream is over: begin another one"):
        steering.go_on(model, dream, "space", 1, 1.0)
    with pytest.raises(UserError, match="the temperature is 0; it must be above 0"):
        steering.go_on(model, begun, "space", 1, 0)
