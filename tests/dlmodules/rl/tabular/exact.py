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


def chains(found: Dynamics) -> tuple[np.ndarray, np.ndarray]:
    """Those of each action done always: (A, S, S) and (A, S)."""
    each = [chain(found, always(found, action)) for action in range(found.num_actions)]
    return np.stack([matrix for matrix, _ in each]), np.stack([reward for _, reward in each])


def always(found: Dynamics, action: int) -> Tensor:
    policy = torch.zeros(found.num_states, found.num_actions, dtype=torch.float64)
    policy[:, action] = 1.0
    return policy


def q_of(found: Dynamics, v: Tensor, gamma: float) -> Tensor:
    matrices, rewards = chains(found)
    return torch.from_numpy(rewards + gamma * matrices @ v.numpy()).T


def optimal(found: Dynamics, gamma: float) -> Tensor:
    """The values of the best policy: deterministic ones are improved until their values stand still."""
    (matrices, rewards), states = chains(found), np.arange(found.num_states)
    v = value_of(found, uniform(found), gamma).numpy()
    while True:
        best = (rewards + gamma * matrices @ v).argmax(0)
        matrix, reward = matrices[best, states], rewards[best, states]
        after = np.linalg.solve(np.eye(len(matrix)) - gamma * matrix, reward)
        if np.abs(after - v).max() < 1e-11:
            return torch.from_numpy(after)
        v = after


def uniform(found: Dynamics) -> Tensor:
    return torch.full((found.num_states, found.num_actions), 1 / found.num_actions, dtype=torch.float64)
