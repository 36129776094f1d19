"""Play whole episodes with a fixed policy."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Acts, ActsWithMemory, Memory
from dlmodules.training.ranks import on_rank_zero


class _Slot:
    """An environment and the episode that runs in it."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.episode = -1
        self.observation: Any = None
        self.is_running = False
        self.has_begun = False  # and the policy has not seen its first observation yet

    def start(self, episodes: Iterator[tuple[int, int]]) -> bool:
        """Begin the next of ``episodes``, pairs of number and seed. Returns False when none is left."""
        self.is_running = False
        for self.episode, seed in episodes:
            self.observation, _ = self.env.reset(seed=seed)
            self.is_running = self.has_begun = True
            break
        return self.is_running


Choose = Callable[[Sequence[_Slot]], Iterable[tuple[_Slot, Any]]]


def evaluate(agent: Any, envs: Sequence[Any], seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Play one episode for each seed with an agent, of whichever kind: see ``play_episodes``.

    Raises:
        NotImplementedError: the agent has no ``act``.
    """
    if isinstance(agent, ActsWithMemory):
        return play_episodes_with_memory(agent, envs, seeds)
    if isinstance(agent, Acts):
        return play_episodes(agent.act, envs, seeds)
    raise NotImplementedError(f"{type(agent).__name__} defines no act")


def evaluate_once(agent: Any, split: Literal["val", "test"], seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Play the held-out episodes of a split as ``evaluate`` does: the first of several processes for all of them."""
    return on_rank_zero(agent.trainer, lambda: evaluate(agent, agent.environments.evaluation_envs(split), seeds))


def play_episodes(act: Callable[[Tensor], Tensor], envs: Sequence[Any], seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Play one episode for each seed, as many side by side as there are ``envs``.

    Args:
        act: maps observations ``(N, ...)`` to actions ``(N, ...)``. It sees the running episodes alone, so N falls
            when fewer are left than environments.
        envs: Gymnasium environments, at least one.
        seeds: seed of each episode.

    Returns:
        The undiscounted returns and the lengths, each ``(len(seeds),)`` float32, in the order of the seeds.

    Raises:
        UserError: a return is not a finite number.
    """

    def choose(slots: Sequence[_Slot]) -> Iterable[tuple[_Slot, Any]]:
        running = [slot for slot in slots if slot.is_running]
        return zip(running, act(_observations(running)).cpu().numpy(), strict=True)

    return _play(choose, envs, seeds)


def play_episodes_with_memory(
    agent: ActsWithMemory, envs: Sequence[Any], seeds: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Play as ``play_episodes`` does, with a policy that remembers the running episode.

    Each environment keeps its row, of observations and of the state, to the end. The row of the state is that of
    ``initial_state`` when another episode begins there. When none is left, the row of the observations stays as it
    was, and what the policy does there is not looked at.
    """
    state: Memory = {}

    def choose(slots: Sequence[_Slot]) -> Iterable[tuple[_Slot, Any]]:
        nonlocal state
        state = begin_episodes(agent, state, torch.tensor([slot.has_begun for slot in slots]))
        for slot in slots:
            slot.has_begun = False
        actions, state = agent.act(_observations(slots), state)
        pairs = zip(slots, actions.cpu().numpy(), strict=True)
        return [(slot, action) for slot, action in pairs if slot.is_running]

    return _play(choose, envs, seeds)


def begin_episodes(agent: ActsWithMemory, state: Memory, begun: Tensor) -> Memory:
    """Return ``state`` with the rows of ``initial_state`` where ``begun`` ``(N,)`` bool says so.

    An empty ``state`` is that of ``initial_state`` everywhere.
    """
    if state and not begun.any():
        return state
    initial = agent.initial_state(len(begun))
    if not state:
        return initial
    return {name: _rows_where(begun.to(rows.device), rows, state[name]) for name, rows in initial.items()}


def _rows_where(condition: Tensor, rows: Tensor, others: Tensor) -> Tensor:
    return torch.where(condition.reshape(-1, *[1] * (rows.dim() - 1)), rows, others)


def observations_of(env: Any, observations: Sequence[Any]) -> Tensor:
    """Return observations of an environment as a batch ``(N, ...)`` of the dtype that its space declares.

    What an environment returns need not have it. Raises UserError where it has another shape.
    """
    batch, space = np.stack(observations), env.observation_space
    if batch.shape[1:] != space.shape:
        raise UserError(f"an environment returned an observation of shape {batch.shape[1:]}, and declares {space}")
    return torch.from_numpy(batch.astype(space.dtype, copy=False))


def _observations(slots: Sequence[_Slot]) -> Tensor:
    return observations_of(slots[0].env, [slot.observation for slot in slots])


def _play(choose: Choose, envs: Sequence[Any], seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    returns, lengths = [0.0] * len(seeds), [0] * len(seeds)
    waiting = iter(enumerate(seeds))
    slots = [slot for slot in map(_Slot, envs) if slot.start(waiting)]
    while any(slot.is_running for slot in slots):
        ended = []
        for slot, action in choose(slots):
            slot.observation, reward, terminated, truncated, _ = slot.env.step(action)
            returns[slot.episode] += float(reward)
            lengths[slot.episode] += 1
            if terminated or truncated:
                ended.append(slot)
        for slot in ended:
            slot.start(waiting)
    if not all(map(isfinite, returns)):
        raise UserError(f"an episode has a return of {sum(returns)}: the environment pays what is not a finite number")
    return torch.tensor(returns), torch.tensor(lengths, dtype=torch.float32)
