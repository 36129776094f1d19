from dataclasses import replace

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.buffers import ReplayBuffer

FIELDS = ("observation", "action", "reward", "next_observation", "terminated", "truncated")


def transitions(*rewards: float) -> Transition:
    """Transitions whose every field can be told from the reward."""
    reward = torch.tensor(rewards, dtype=torch.float32)
    observation = torch.stack([reward, reward + 0.25], dim=1)
    return Transition(
        observation=observation,
        action=reward.long() % 2,
        reward=reward,
        next_observation=observation + 1,
        terminated=reward > 2.5,
        truncated=reward < 1.5,
    )


def filled(capacity: int, *rewards: float) -> ReplayBuffer:
    buffer = ReplayBuffer(capacity, (2,), torch.float32)
    for reward in rewards:
        buffer.add(transitions(reward))
    return buffer


def test_fields_of_a_transition_stay_together() -> None:
    buffer = ReplayBuffer(8, (2,), torch.float32)
    buffer.add(transitions(1, 2, 3))
    sample = buffer.sample(200, torch.Generator().manual_seed(0))
    assert sample.reward.unique().tolist() == [1, 2, 3]
    expected = transitions(*sample.reward.tolist())
    for name in FIELDS:
        assert torch.equal(getattr(sample, name), getattr(expected, name))


def test_the_oldest_are_overwritten_across_the_end() -> None:
    buffer = filled(4, 0, 1, 2)
    buffer.add(transitions(3, 4, 5))  # one goes to the last place, two to the first
    assert len(buffer) == 4
    assert buffer.sample(300, torch.Generator().manual_seed(0)).reward.unique().tolist() == [2, 3, 4, 5]
    assert buffer.state_dict()["reward"].tolist() == [4, 5, 2, 3]
    assert buffer.state_dict()["position"] == 2


def test_sampling_is_uniform_and_repeats_with_its_generator() -> None:
    buffer = filled(4, 0, 1, 2, 3)
    counts = buffer.sample(40_000, torch.Generator().manual_seed(1)).reward.long().bincount()
    assert counts.tolist() == pytest.approx([10_000] * 4, rel=0.05)
    first, second = (buffer.sample(5, torch.Generator().manual_seed(1)).reward for _ in range(2))
    assert torch.equal(first, second)


def test_unfilled_places_are_never_drawn() -> None:
    buffer = filled(1000, 7)
    assert buffer.sample(50, torch.Generator()).reward.tolist() == [7] * 50


def test_state_holds_the_filled_part_and_restores_the_next_write() -> None:
    buffer = filled(4, 0, 1, 2)
    state = buffer.state_dict()
    assert state["observation"].untyped_storage().nbytes() == 3 * 2 * 4
    buffer.add(transitions(9))  # the state is a copy
    twin = ReplayBuffer(4, (2,), torch.float32)
    twin.load_state_dict(state)
    twin.add(transitions(3, 4))
    assert twin.state_dict()["reward"].tolist() == [4, 1, 2, 3]


def test_split_cuts_into_batches_in_order() -> None:
    batches = transitions(0, 1, 2, 3).split(2)
    assert [batch.reward.tolist() for batch in batches] == [[0, 1], [2, 3]]
    assert [batch.terminated.tolist() for batch in batches] == [[False, False], [False, True]]


def test_pictures_are_kept_as_bytes() -> None:
    buffer = ReplayBuffer(2, (3, 4, 4), torch.uint8)
    observation = torch.full((1, 3, 4, 4), 200, dtype=torch.uint8)
    buffer.add(replace(transitions(1), observation=observation, next_observation=observation))
    assert buffer.sample(1).observation.dtype == torch.uint8


def test_another_capacity_or_shape_is_refused_in_one_line() -> None:
    state = filled(4, 0, 1).state_dict()
    with pytest.raises(UserError, match="buffer_capacity=4"):
        ReplayBuffer(5, (2,), torch.float32).load_state_dict(state)
    with pytest.raises(UserError, match=r"shape \(2,\), not \(3,\)"):
        ReplayBuffer(4, (3,), torch.float32).load_state_dict(state)
    with pytest.raises(ValueError, match="do not fit"):
        filled(2).add(transitions(0, 1, 2))


def test_actions_of_any_space_and_what_an_agent_kept_beside_them() -> None:
    observation = torch.tensor([3, 5])
    for action in (torch.tensor([[0.5, -1.0]]), torch.tensor([[2, 0, 1]]), torch.tensor([1])):
        kinds = ReplayBuffer(4, (), torch.int64)
        kinds.add(replace(transitions(1), observation=observation[:1], next_observation=observation[1:], action=action))
        drawn = kinds.sample(3)
        assert drawn.action.dtype == action.dtype
        assert torch.equal(drawn.action, action.expand(3, *action.shape[1:]))
        assert drawn.observation.tolist() == [3, 3, 3]
        assert drawn.next_observation.tolist() == [5, 5, 5]
    buffer, info = ReplayBuffer(4, (), torch.int64), {"log_prob": torch.tensor([-0.5, -1.5])}
    buffer.add(replace(transitions(0, 1), observation=observation, next_observation=observation, info=info))
    state = buffer.state_dict()
    twin = ReplayBuffer(4, (), torch.int64)
    twin.load_state_dict(state)
    for filled_one in (buffer, twin):
        drawn = filled_one.sample(50, torch.Generator().manual_seed(0))
        assert torch.equal(drawn.info["log_prob"], -0.5 - drawn.reward)
    part = drawn.split(20)[1]
    assert torch.equal(part.info["log_prob"], -0.5 - part.reward)


def test_an_earlier_state_without_truncated_is_taken_over() -> None:
    state = filled(4, 0, 1, 2).state_dict()
    del state["truncated"]
    twin = ReplayBuffer(4, (2,), torch.float32)
    twin.load_state_dict(state)
    twin.add(transitions(1))
    assert twin.state_dict()["truncated"].tolist() == [False, False, False, True]


def test_a_buffer_that_is_still_empty_is_saved_and_restored() -> None:
    twin = filled(4, 0)
    twin.load_state_dict(ReplayBuffer(4, (2,), torch.float32).state_dict())
    assert len(twin) == 0
    twin.add(transitions(3))
    assert twin.sample(2).reward.tolist() == [3, 3]


@pytest.mark.parametrize("n", [1, 3, 8])
def test_an_index_means_the_same_transition_whether_observations_are_shared_or_not(n: int) -> None:
    """Place k % capacity holds the k-th transition, so that equal seeds draw equal transitions."""
    buffer = ReplayBuffer(50, (300,), torch.float32)  # over the limit from which observations are shared
    stored: dict[int, float] = {}
    for number in range(0, 120, n):
        reward = torch.arange(number, number + n, dtype=torch.float32)
        observation = reward[:, None].expand(n, 300)
        buffer.add(replace(transitions(*reward.tolist()), observation=observation, next_observation=observation + n))
        stored.update({k % 50: float(k) for k in range(number, number + n)})
    drawn = buffer.sample(64, torch.Generator().manual_seed(5))
    index = torch.randint(50, (64,), generator=torch.Generator().manual_seed(5))
    assert drawn.reward.tolist() == [stored[place] for place in index.tolist()]
    assert torch.equal(drawn.observation[:, 7], drawn.reward)
    assert torch.equal(drawn.next_observation[:, 7], drawn.reward + n)
