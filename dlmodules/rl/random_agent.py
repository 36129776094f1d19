"""An agent that learns nothing: what others are to be compared with."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.base import Agent
from dlmodules.training.one_step import placeholder_optimizer

EVALUATION_SEED = 2_016  # of no run that counts its seeds from 0


class RandomAgent(Agent):
    """Does each action with the same probability: one of ``Discrete`` actions, or any point of a bounded ``Box``.

    It takes the spaces from its environments. All it keeps is the mean return so far. Evaluation is by random actions,
    too, from a generator of its own that begins anew each time, so that the same episodes end the same way.

    Paper: Brockman et al. 2016, OpenAI Gym, arXiv:1606.01540.
    Books: lab L1, atienza 10.6.R.

    Logged besides what every agent logs: ``train/mean_return`` (of all episodes so far).

    Args:
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    episodes: Tensor
    mean_return: Tensor

    def __init__(self, steps_per_iteration: int = 1_000) -> None:
        super().__init__(steps_per_iteration)
        save_portable_hyperparameters(self)
        self.register_buffer("episodes", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean_return", torch.zeros((), dtype=torch.float64))
        self.evaluation_generator = torch.Generator()
        # Those of cart-pole, until there are environments.
        self.observation_shape: tuple[int, ...] = (4,)
        self.first_action, self.num_actions = 0, 2
        self.low: Tensor | None = None
        self.high: Tensor | None = None

    @override
    def setup(self, stage: str) -> None:
        """Look at the spaces. Raises UserError for actions of which none can be drawn."""
        super().setup(stage)
        from gymnasium.spaces import Box, Discrete  # it takes half a second, and only who acts needs it

        space = self.environments.action_space
        self.observation_shape = tuple(self.environments.observation_space.shape)
        self.low = self.high = None
        if isinstance(space, Discrete):
            self.first_action, self.num_actions = int(space.start), int(space.n)
        elif isinstance(space, Box) and space.is_bounded() and np.issubdtype(space.dtype, np.floating):
            self.low, self.high = torch.from_numpy(space.low), torch.from_numpy(space.high)
        else:
            raise UserError(f"RandomAgent draws actions of Discrete and of a bounded Box, not of {space}")
        if stage == "fit":
            self.episodes.zero_()
            self.mean_return.zero_()

    def _sample(self, count: int, generator: torch.Generator) -> Tensor:
        if self.low is None or self.high is None:
            return self.first_action + torch.randint(self.num_actions, (count,), generator=generator)
        part = torch.rand(count, *self.low.shape, generator=generator, dtype=self.low.dtype)
        return self.low + (self.high - self.low) * part

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return any actions ``(N, ...)``."""
        return self._sample(len(observation), self.generator)

    def act(self, observation: Tensor) -> Tensor:
        """Return any actions ``(N, ...)``."""
        return self._sample(len(observation), self.evaluation_generator).to(observation.device)

    @override
    def observe(self, transition: Transition) -> None:
        """Learn nothing."""

    @override
    def learn(self) -> dict[str, Tensor]:
        """Count the returns of the episodes that have ended."""
        envs = self.environments.train_envs
        ended = envs.episodes - int(self.episodes)
        # Of more than the stream remembers the last ones stand for all.
        returns = torch.tensor(list(envs.recent_returns)[-ended:] if ended else [], dtype=torch.float64)
        if len(returns):
            self.episodes += ended
            self.mean_return += (returns.mean() - self.mean_return) * ended / self.episodes
        return {"mean_return": self.mean_return.clone()} if self.episodes else {}

    @override
    def validation_step(self, seeds: list[int], batch_idx: int) -> None:
        self.evaluation_generator.manual_seed(EVALUATION_SEED)
        super().validation_step(seeds, batch_idx)

    @override
    def test_step(self, seeds: list[int], batch_idx: int) -> None:
        self.evaluation_generator.manual_seed(EVALUATION_SEED)
        super().test_step(seeds, batch_idx)

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        """There is nothing to optimize: iterations are counted by it."""
        return placeholder_optimizer()

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the spaces, so that a checkpoint can act."""
        spaces = {name: getattr(self, name) for name in ("first_action", "num_actions", "low", "high")}
        return {**super().agent_state(), **spaces, "observation_shape": list(self.observation_shape)}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        for name in ("first_action", "num_actions", "low", "high"):
            setattr(self, name, state[name])
        self.observation_shape = tuple(state["observation_shape"])

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations ``(n, ...)``."""
        return torch.zeros(n, *self.observation_shape, device=self.device)
