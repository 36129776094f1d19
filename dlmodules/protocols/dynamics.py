"""A finite Markov decision process, and a step of environments whose states are numbered."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """Everything that can happen in a finite Markov decision process of S states and A actions.

    An action in a state has at most K outcomes; one of probability 0 fills the place of those that it lacks.

    Attributes:
        probability: ``(S, A, K)`` float64, 1 in the sum over K.
        next_state: ``(S, A, K)`` int64.
        reward: ``(S, A, K)`` float64.
        terminated: ``(S, A, K)`` bool: the outcome ends the episode.
        initial: ``(S,)`` float64: the probability of each state to begin an episode.
        max_steps: steps after which an episode is truncated; None for no limit.
    """

    probability: Tensor
    next_state: Tensor
    reward: Tensor
    terminated: Tensor
    initial: Tensor
    max_steps: int | None = None

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.probability)

    @property
    def num_actions(self) -> int:
        """A."""
        return self.probability.shape[1]

    @cached_property
    def terminal(self) -> Tensor:
        """``(S,)`` bool: states in which episodes end and nothing goes on, and those where nothing ever happens."""
        possible = self.probability > 0
        states = torch.arange(self.num_states)[:, None, None].expand_as(self.next_state)
        entered = possible & (self.next_state != states)  # staying where one is, is no way to come there
        happens = possible & ~(self.terminated & (self.next_state == states) & (self.reward == 0))
        ends = ~happens.flatten(1).any(1)  # such as a wall, which is never entered
        ends[self.next_state[entered & self.terminated]] = True
        ends[self.next_state[entered & ~self.terminated]] = False
        return ends


class StateStep(NamedTuple):
    """One step of N environments whose states are numbered; plain numbers where N is 1.

    Attributes:
        state: ``(N,)`` int64.
        action: ``(N,)`` int64.
        reward: ``(N,)`` float64.
        next_state: ``(N,)`` int64, before any reset.
        terminated: ``(N,)`` bool: a terminal state, after which there is no value.
        truncated: ``(N,)`` bool: the episode was cut; its value goes on.
    """

    state: Any
    action: Any
    reward: Any
    next_state: Any
    terminated: Any
    truncated: Any


class StateStream(Protocol):
    """Training environments whose states are numbered, stepped without tensors: a table is faster than they are."""

    num_envs: int
    state: Any
    """``(N,)`` int64, or one number: where the environments are, already in the next episode where one ended."""

    def step_states(self, action: Any) -> StateStep:
        """Do the actions: ``(N,)`` int64, or one number where N is 1."""
        ...


Numbers = npt.NDArray[np.float64]
States = npt.NDArray[np.int64]
