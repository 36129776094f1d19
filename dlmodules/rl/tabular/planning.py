"""Values of a finite Markov decision process, computed from the table of all that can happen.

Pure functions of float64 tensors. S states, A actions; ``v`` is ``(S,)``, ``q`` and a ``policy`` ``(S, A)``, whose rows
are probabilities. A terminal state has the value 0.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Dynamics
from dlmodules.protocols.dynamics import Numbers

TIE = 1e-9  # what rounding may make of two equal values


def action_values(dynamics: Dynamics, v: Tensor, gamma: float) -> Tensor:
    """Return the values ``(S, A)`` of one action followed by what ``v`` ``(S,)`` promises; 0 in terminal states."""
    reward, weight = _rewards_and_weights(dynamics, gamma)
    return reward + (weight * v[dynamics.next_state]).sum(2)


def evaluation_sweep(dynamics: Dynamics, policy: Tensor, v: Tensor, gamma: float) -> tuple[Tensor, float]:
    """Give each state in turn its expected return under ``policy`` (vasilev 8.4).

    A state sees the new values of those before it.

    Returns:
        The values ``(S,)`` after the sweep, and the largest change.
    """
    chances = policy.numpy()
    return _sweep(dynamics, v, gamma, lambda state, q: float(chances[state] @ q))


def optimality_sweep(dynamics: Dynamics, v: Tensor, gamma: float) -> tuple[Tensor, float]:
    """Give each state in turn the value of its best action (vasilev 8.6). Otherwise as ``evaluation_sweep``."""
    return _sweep(dynamics, v, gamma, lambda state, q: float(q.max()))


def synchronous_sweep(dynamics: Dynamics, policy: Tensor, v: Tensor, gamma: float) -> tuple[Tensor, float]:
    """As ``evaluation_sweep``, but every state sees the old values of all others."""
    after = (policy * action_values(dynamics, v, gamma)).sum(1)
    return after, float((after - v).abs().max())


def greedy_policy(q: Tensor, tie: float = TIE) -> Tensor:
    """Return the policy ``(S, A)`` of the best actions; where there are several they share (vasilev 8.5).

    Args:
        q: ``(S, A)``.
        tie: actions whose values differ by less, of the size of the best one where that is above 1, are equally good.
    """
    best = q.amax(1, keepdim=True)
    ties = (q >= best - tie * best.abs().clamp(min=1.0)).double()
    return ties / ties.sum(1, keepdim=True)


def solve(dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    """Return the values ``(S,)`` of ``policy`` as the solution of Bellman's linear equations.

    Raises:
        UserError: without discount, an episode may go on for ever, so that there is none.
    """
    reward, weight = _rewards_and_weights(dynamics, gamma)
    chain = torch.zeros(len(policy), len(policy), dtype=torch.float64)
    chain.scatter_add_(1, dynamics.next_state.flatten(1), (policy[:, :, None] * weight).flatten(1))
    if not _always_ends(chain):
        raise UserError("an episode may go on for ever under this policy: without discount it has no value")
    identity = torch.eye(len(chain), dtype=torch.float64)
    solution: Tensor = torch.linalg.solve(identity - chain, (policy * reward).sum(1))
    return solution


def finite_horizon_value(dynamics: Dynamics, policy: Tensor, gamma: float, steps: int) -> Tensor:
    """Return the expected return ``(S,)`` of the next ``steps`` steps under ``policy``."""
    reward, weight = _rewards_and_weights(dynamics, gamma)
    reward, weight = (policy * reward).sum(1), policy[:, :, None] * weight
    v = torch.zeros_like(reward)
    for _ in range(steps):
        v = reward + (weight * v[dynamics.next_state]).flatten(1).sum(1)
    return v


def exact_return(dynamics: Dynamics, policy: Tensor) -> Tensor:
    """Return the expected return ``()`` of an episode under ``policy``, within the time limit where there is one.

    Raises:
        UserError: there is no limit, and an episode may go on for ever.
    """
    if dynamics.max_steps is None:
        return dynamics.initial @ solve(dynamics, policy, 1.0)
    return dynamics.initial @ finite_horizon_value(dynamics, policy, 1.0, dynamics.max_steps)


def deterministic_policy(action: Tensor, num_actions: int) -> Tensor:
    """Return the policy ``(S, A)`` that takes in each state the one ``action`` ``(S,)`` int64."""
    return torch.nn.functional.one_hot(action, num_actions).double()


def policy_rows(policy: Sequence[Sequence[float]] | None, num_states: int, num_actions: int) -> Tensor:
    """Return a given policy as ``(S, A)`` float64; None takes all actions alike.

    Raises:
        UserError: it is of another size, or a row is no probabilities.
    """
    shape = num_states, num_actions
    if policy is None:
        return torch.full(shape, 1 / num_actions, dtype=torch.float64)
    rows = torch.tensor(policy, dtype=torch.float64)
    if rows.shape != shape or (rows < 0).any() or not torch.allclose(rows.sum(1), torch.ones_like(rows[:, 0])):
        raise UserError(
            f"policy must have probabilities that add up to 1, {num_actions} for each of {num_states} states"
        )
    return rows


def _rewards_and_weights(dynamics: Dynamics, gamma: float) -> tuple[Tensor, Tensor]:
    """Return expected rewards ``(S, A)``, and by how much the value of each next state counts, ``(S, A, K)``."""
    goes_on = ~dynamics.terminal[:, None]
    reward = (dynamics.probability * dynamics.reward).sum(2) * goes_on
    weight = gamma * dynamics.probability * ~dynamics.terminated * goes_on[:, :, None]
    return reward, weight


def _always_ends(chain: Tensor) -> bool:
    """Return whether an end, or discount, is to be reached from each state of a chain ``(S, S)``."""
    ends = chain.sum(1) < 1 - 1e-12
    for _ in range(len(chain)):
        ends |= (chain @ ends.double()) > 0
    return bool(ends.all())


def _sweep(
    dynamics: Dynamics, v: Tensor, gamma: float, value_of: Callable[[int, Numbers], float]
) -> tuple[Tensor, float]:
    rewards, weights = (tensor.numpy() for tensor in _rewards_and_weights(dynamics, gamma))
    next_states = dynamics.next_state.numpy()
    values = v.numpy().copy()
    for state in range(len(values)):
        q = rewards[state] + (weights[state] * values[next_states[state]]).sum(1)
        values[state] = value_of(state, q)
    return torch.from_numpy(values), float(np.abs(values - v.numpy()).max())
