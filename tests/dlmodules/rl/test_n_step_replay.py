"""Against a naive loop over the steps of each environment."""

import pytest
import torch

from dlmodules.protocols import Transition
from dlmodules.rl.n_step_replay import NStepReplay

GAMMA = 0.5


def steps(total: int, lanes: int, seed: int = 0) -> list[Transition]:
    """Steps whose observation numbers them: 100 t + i before step t of environment i, and half more after it."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for t in range(total):
        observation = (100.0 * t + torch.arange(lanes)).unsqueeze(1)
        ends = torch.rand(lanes, generator=generator)
        found.append(
            Transition(
                observation=observation,
                action=torch.randint(3, (lanes,), generator=generator),
                reward=torch.randn(lanes, generator=generator),
                next_observation=observation + 0.5,
                terminated=ends < 0.15,
                truncated=ends > 0.85,
            )
        )
    return found


def naive(stored: list[Transition], number: int, lanes: int, n: int) -> tuple[float, float, float, bool, bool]:
    """Return reward, discount, next observation and ends of the transition that begins with step ``number``."""
    reward, discount = 0.0, 1.0
    for step in range(n):
        t, lane = divmod(number + step * lanes, lanes)
        if t == len(stored):
            break
        last = stored[t]
        reward += discount * float(last.reward[lane])
        discount *= GAMMA
        if last.terminated[lane] or last.truncated[lane]:
            break
        final = t
    t = final if t == len(stored) else t
    last = stored[t]
    return reward, discount, float(last.next_observation[lane]), bool(last.terminated[lane]), bool(last.truncated[lane])


@pytest.mark.parametrize(("lanes", "capacity"), [(1, 7), (3, 20), (4, 40), (4, 1000), (5, 5)])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_every_stored_step_begins_the_transition_of_the_naive_loop(lanes: int, capacity: int, n: int) -> None:
    buffer = NStepReplay(capacity, (1,), torch.float32, n=n, gamma=GAMMA)
    stored: list[Transition] = []
    for step in steps(30, lanes):
        stored.append(step)
        places = buffer.add(step)
        assert places.tolist() == [k % capacity for k in range((len(stored) - 1) * lanes, len(stored) * lanes)]
        kept = range(max(0, len(stored) * lanes - capacity), len(stored) * lanes)
        found = buffer.get(torch.tensor([number % capacity for number in kept]))
        assert found.observation.flatten().tolist() == [100.0 * (k // lanes) + k % lanes for k in kept]
        for row, number in enumerate(kept):
            reward, discount, following, terminated, truncated = naive(stored, number, lanes, n)
            assert found.reward[row] == pytest.approx(reward, abs=1e-5)
            assert found.info["discount"][row] == discount
            assert found.next_observation[row] == following
            assert (found.terminated[row], found.truncated[row]) == (terminated, truncated)


def test_the_last_steps_of_an_episode_by_hand() -> None:
    buffer = NStepReplay(10, (), torch.int64, n=3, gamma=0.5)
    for state, (terminated, truncated) in enumerate([(False, False), (False, False), (True, False), (False, True)]):
        buffer.add(
            Transition(
                observation=torch.tensor([state]),
                action=torch.tensor([0]),
                reward=torch.tensor([2.0]),
                next_observation=torch.tensor([state + 1]),
                terminated=torch.tensor([terminated]),
                truncated=torch.tensor([truncated]),
            )
        )
    found = buffer.get(torch.arange(4))
    assert found.reward.tolist() == [3.5, 3.0, 2.0, 2.0]
    assert found.info["discount"].tolist() == [0.125, 0.25, 0.5, 0.5]
    assert found.next_observation.tolist() == [3, 3, 3, 4]
    assert found.terminated.tolist() == [True, True, True, False]
    assert found.truncated.tolist() == [False, False, False, True]


def test_state_is_restored_and_another_number_of_environments_refused() -> None:
    buffer, twin = (NStepReplay(20, (1,), torch.float32, n=3, gamma=GAMMA) for _ in range(2))
    *before, after = steps(9, 4)
    for step in before:
        buffer.add(step)
    twin.load_state_dict(buffer.state_dict())
    buffer.add(after)
    twin.add(after)
    for name in ("reward", "next_observation", "terminated"):
        first, second = (b.sample(64, torch.Generator().manual_seed(1)) for b in (buffer, twin))
        assert torch.equal(getattr(first, name), getattr(second, name))
    with pytest.raises(ValueError, match="3 transitions after 4"):
        buffer.add(steps(1, 3)[0])
