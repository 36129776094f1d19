"""Exact values to compare with, by other means than the package's: dense matrices and enumeration."""

import numpy as np
import torch
from torch import Tensor

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.protocols import Dynamics

PLANNED = {
    "grid": ("dlmodules/GridWorld-v0", 1.0),
    "maze": ("dlmodules/Maze-v0", 0.9),
    "lake": ("FrozenLake-v1", 0.99),
    "taxi": ("Taxi-v4", 0.9),
    "cliff": ("CliffWalking-v1", 0.9),
}
"""Environments with a table, each with a discount under which the uniform policy has values."""


def dynamics(env_id: str, **env_kwargs: object) -> Dynamics:
    return EnvironmentDataModule(env_id, env_kwargs=env_kwargs).transitions


def chain(found: Dynamics, policy: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (S, S) of going on, and expected rewards (S,), by a loop over all that can happen."""
    size, is_terminal = found.num_states, found.terminal.tolist()
    matrix, reward = np.zeros((size, size)), np.zeros(size)
    probability, rewards, after, terminated = (
        tensor.tolist() for tensor in (found.probability, found.reward, found.next_state, found.terminated)
    )
    for state, chances in enumerate(policy.tolist()):
        for action, chance in enumerate(chances):
            if is_terminal[state] or not chance:
                continue
            for k, weight in enumerate(probability[state][action]):
                reward[state] += chance * weight * rewards[state][action][k]
                if not terminated[state][action][k]:
                    matrix[state, after[state][action][k]] += chance * weight
    return matrix, reward


def value_of(found: Dynamics, policy: Tensor, gamma: float) -> Tensor:
    matrix, reward = chain(found, policy)
    return torch.from_numpy(np.linalg.solve(np.eye(len(matrix)) - gamma * matrix, reward))


def q_of(found: Dynamics, v: Tensor, gamma: float) -> Tensor:
    columns = []
    for action in range(found.num_actions):
        always = torch.zeros(found.num_states, found.num_actions, dtype=torch.float64)
        always[:, action] = 1.0
        matrix, reward = chain(found, always)
        columns.append(torch.from_numpy(reward + gamma * matrix @ v.numpy()))
    return torch.stack(columns, 1)


def optimal(found: Dynamics, gamma: float) -> Tensor:
    """The values of the best policy: deterministic ones are improved until their values stand still."""
    shape = found.num_states, found.num_actions
    v = value_of(found, torch.full(shape, 1 / shape[1], dtype=torch.float64), gamma)
    while True:
        policy = torch.nn.functional.one_hot(q_of(found, v, gamma).argmax(1), shape[1]).double()
        after = value_of(found, policy, gamma)
        if (after - v).abs().max() < 1e-11:
            return after
        v = after


def uniform(found: Dynamics) -> Tensor:
    return torch.full((found.num_states, found.num_actions), 1 / found.num_actions, dtype=torch.float64)
