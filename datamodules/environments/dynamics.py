"""Read the table of all that can happen from an environment of Gymnasium's kind of ``P``."""

from typing import Any

import torch

from dlmodules.errors import UserError
from dlmodules.protocols import Dynamics

# From so many numbers on a table of transitions is refused: 2 GiB in all.
MOST_OUTCOMES = 2**26


def dynamics_of(env_id: str, env: Any) -> Dynamics:
    """Return the transitions of an environment with the attribute ``P``, as Gymnasium's toy texts have it.

    ``P[state][action]`` is a list of (probability, next state, reward, terminated). Wrappers are not seen: they must
    leave states, rewards and ends as they are.

    Raises:
        UserError: there is no ``P``, it does not fit the spaces, or it is too large.
    """
    table = getattr(env.unwrapped, "P", None)
    if table is None:
        raise UserError(
            f"{env_id} has no table P of its transitions, which this needs: choose FrozenLake-v1, Taxi-v4,"
            " CliffWalking-v1 or one of dlmodules' grids, or an agent that learns from steps alone"
        )
    num_states, num_actions = int(env.observation_space.n), int(env.action_space.n)
    outcomes = max(len(table[state][action]) for state in range(num_states) for action in range(num_actions))
    shape = (num_states, num_actions, outcomes)
    if num_states * num_actions * outcomes > MOST_OUTCOMES:
        raise UserError(f"the transitions of {env_id}, {num_states} states by {num_actions} actions, are too many")
    probability = torch.zeros(shape, dtype=torch.float64)
    next_state = torch.arange(num_states)[:, None, None].repeat(1, num_actions, outcomes)
    reward = torch.zeros(shape, dtype=torch.float64)
    terminated = torch.zeros(shape, dtype=torch.bool)
    for state in range(num_states):
        for action in range(num_actions):
            for place, outcome in enumerate(table[state][action]):
                where = (state, action, place)
                probability[where], next_state[where] = float(outcome[0]), int(outcome[1])
                reward[where], terminated[where] = float(outcome[2]), bool(outcome[3])
    if not torch.allclose(probability.sum(2), torch.ones((), dtype=torch.float64)):
        raise UserError(f"{env_id}: the probabilities of an action's outcomes in P do not add up to 1")
    if not reward.isfinite().all():
        raise UserError(f"{env_id}: P has rewards that are not finite numbers")
    initial = torch.as_tensor(env.unwrapped.initial_state_distrib, dtype=torch.float64)
    limit = env.spec.max_episode_steps if env.spec is not None else None
    return Dynamics(
        probability=probability,
        next_state=next_state,
        reward=reward,
        terminated=terminated,
        initial=initial,
        max_steps=limit,
    )
