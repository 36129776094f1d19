"""Deep Q-learning."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.action_values import ActionValueAgent
from dlmodules.rl.buffers import ReplayBuffer
from dlmodules.rl.denormals import FLUSH_EVERY, flush_moments
from dlmodules.rl.networks import MLPQNetwork
from dlmodules.rl.polyak import PolyakAverage
from dlmodules.rl.returns import td_target
from dlmodules.rl.spaces import example_observation
from dlmodules.training.annealing import exponential_annealing, linear_annealing
from dlmodules.validation.arguments import check_fractions, require_at_least


class DQN(ActionValueAgent):
    """Learn the value of each action by Q-learning with replay and a target network; 133,378 parameters.

    Paper: Mnih et al. 2015, Human-level control through deep reinforcement learning, doi:10.1038/nature14236.
    Books: atienza 9.6.1, vasilev 8.16, vasilev 8.17, vasilev 8.18, vasilev 9.2, lab L4.

    Variants override one method: ``make_network``, ``explore``, ``make_buffer`` and ``draw`` (what is replayed),
    ``next_value`` (the estimate from which an update bootstraps), ``td_error`` or ``update``.

    Logged besides: ``train/td_loss``, ``train/q_mean`` (of the best action, mean of a batch), ``train/epsilon``.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of the hidden layers of the default network.
        network: maps observations ``(B, ...)`` to values ``(B, num_actions)``; None builds ``MLPQNetwork``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each iteration; None keeps it constant.
        gamma: discount of the next value, in [0, 1].
        batch_size: transitions in an update.
        buffer_capacity: transitions kept for replay.
        learning_starts: environment steps before the first update.
        steps_per_iteration: environment steps between two rounds of updates, over all environments.
        updates_per_iteration: updates in a round.
        target_update_interval: updates between two updates of the target network.
        tau: how far the target network then moves to the online one, in (0, 1]; 1 copies it.
        epsilon_start: first probability of a random action.
        epsilon_end: last probability of a random action.
        epsilon_steps: environment steps in which it goes from the first to the last.
        epsilon_schedule: ``exponential`` multiplies by one factor each step, ``linear`` adds one number.
        max_grad_norm: largest norm of the gradient; None does not clip.
        loss: ``mse``, or ``huber``, whose slope is at most 1.
        epsilon_delay: environment steps with the first probability, before it begins to fall.
        reward_scale: factor, above 0, of the rewards that are learnt from; the values have it too.
        normalize_observations: give the network observations of mean 0 and deviation 1 (``NormalizedNetwork``).
        normalize_rewards: learn from rewards divided by the deviation of the return (``RewardNormalizer``).
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        **{"hidden_dims": [16, 16], "buffer_capacity": 1_000, "learning_starts": 64},
        **{"steps_per_iteration": 32, "updates_per_iteration": 2},
    }

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        hidden_dims: Sequence[int] = (256, 256, 256),
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
        gamma: float = 0.9,
        batch_size: int = 64,
        buffer_capacity: int = 100_000,
        learning_starts: int = 1_000,
        steps_per_iteration: int = 64,
        updates_per_iteration: int = 16,
        target_update_interval: int = 10,
        tau: float = 1.0,
        epsilon_start: float = 0.9,
        epsilon_end: float = 0.1,
        epsilon_steps: int = 50_000,
        epsilon_schedule: Literal["exponential", "linear"] = "exponential",
        max_grad_norm: float | None = None,
        loss: Literal["mse", "huber"] = "mse",
        epsilon_delay: int = 0,
        reward_scale: float = 1.0,
        normalize_observations: bool = False,
        normalize_rewards: bool = False,
    ) -> None:
        super().__init__(
            observation_dim=observation_dim,
            num_actions=num_actions,
            hidden_dims=hidden_dims,
            network=network,
            optimizer=optimizer,
            scheduler=scheduler,
            gamma=gamma,
            steps_per_iteration=steps_per_iteration,
            max_grad_norm=max_grad_norm,
            reward_scale=reward_scale,
            normalize_observations=normalize_observations,
            normalize_rewards=normalize_rewards,
        )
        save_portable_hyperparameters(self)
        counts = {"batch_size": batch_size, "updates_per_iteration": updates_per_iteration}
        require_at_least(1, **counts, target_update_interval=target_update_interval)
        require_at_least(batch_size, buffer_capacity=buffer_capacity)
        check_fractions(tau=tau, epsilon_start=epsilon_start, epsilon_end=epsilon_end)
        if epsilon_schedule == "exponential" and not (epsilon_start and epsilon_end):
            raise UserError("an exponential epsilon_schedule never reaches 0: choose linear, or epsilons above 0")
        self.target_network = deepcopy(self.network).requires_grad_(False)
        self.tau = tau
        self.batch_size, self.buffer_capacity = batch_size, buffer_capacity
        self.learning_starts = max(learning_starts, 1)
        self.updates_per_iteration, self.target_update_interval = updates_per_iteration, target_update_interval
        self.epsilon_start, self.epsilon_end = epsilon_start, epsilon_end
        self.epsilon_steps, self.epsilon_delay = epsilon_steps, epsilon_delay
        self.epsilon_schedule = exponential_annealing if epsilon_schedule == "exponential" else linear_annealing
        self.loss = loss
        self.updates = 0

    @override
    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return the default network."""
        return MLPQNetwork(observation_dim, num_actions, hidden_dims)

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit, and reserve the replay buffer. Raises UserError."""
        super().setup(stage)
        if stage == "fit":
            self.updates = 0
            observation = example_observation(self.environments)
            self.buffer = self.make_buffer(observation.shape[1:], observation.dtype, self.environments.stacked_frames)

    def make_buffer(self, shape: tuple[int, ...], dtype: torch.dtype, stacked_frames: int) -> ReplayBuffer:
        """Return the empty replay buffer for observations of this shape."""
        return ReplayBuffer(self.buffer_capacity, shape, dtype, stacked_frames)

    @property
    @override
    def epsilon(self) -> float:
        steps = max(0, self.env_steps - self.epsilon_delay)
        return self.epsilon_schedule(steps, self.epsilon_start, self.epsilon_end, self.epsilon_steps)

    @override
    def observe(self, transition: Transition) -> None:
        assert self.buffer is not None
        self.buffer.add(transition)

    @override
    def learn(self) -> dict[str, Tensor]:
        metrics = self.exploration()
        if self.env_steps < self.learning_starts:
            return metrics
        self.network.train()
        drawn = self.draw(self.updates_per_iteration * self.batch_size).to(self.device)
        scaled = replace(drawn, reward=self.scaled(drawn.reward))
        batches = scaled.split(self.batch_size)
        target_average = PolyakAverage(self.target_network, self.network, self.tau)
        losses = []
        for number, batch in enumerate(batches, start=self.updates + 1):
            losses.append(self.update(batch))
            if number % self.target_update_interval == 0:
                target_average.update()
            if number % FLUSH_EVERY == 0:
                flush_moments(self.trainer.optimizers[0])
        self.updates += len(batches)
        self.step_schedule()
        with torch.no_grad():
            q_mean = self(batches[-1].observation).amax(dim=1).mean()
        return metrics | {"td_loss": torch.stack(losses).mean(), "q_mean": q_mean}

    def draw(self, n: int) -> Transition:
        """Return ``n`` transitions to learn from, on the CPU."""
        assert self.buffer is not None
        return self.buffer.sample(n, self.generator)

    def update(self, batch: Transition) -> Tensor:
        """Do one gradient step on a batch and return its loss."""
        loss = self.td_loss(batch)
        self.descend(loss, self.network, self.optimizer_at(0))
        return loss.detach()

    def td_loss(self, batch: Transition) -> Tensor:
        """Return the mean loss of a batch."""
        return self.losses(self.td_error(batch)).mean()

    def losses(self, error: Tensor) -> Tensor:
        """Return the losses ``(B,)`` of errors ``(B,)``."""
        return error.square() if self.loss == "mse" else F.huber_loss(error, torch.zeros_like(error), reduction="none")

    def td_error(self, batch: Transition) -> Tensor:
        """Return by how much ``(B,)`` the values of the actions taken miss their targets; these have no gradient."""
        with torch.no_grad():
            next_value = self.next_value(batch.next_observation)
            target = td_target(batch.reward, batch.terminated, next_value, self.discount(batch))
        values: Tensor = self(batch.observation)
        return values.gather(1, batch.action.unsqueeze(1)).squeeze(1) - target

    def discount(self, batch: Transition) -> float | Tensor:
        """Return the discount of what the batch's transitions led to; one for all, or ``(B,)``."""
        return self.gamma

    def next_value(self, next_observation: Tensor) -> Tensor:
        """Return the value ``(B,)`` of the best action after observations ``(B, ...)``, without gradient."""
        values: Tensor = self.target_network(next_observation)
        return values.amax(dim=1)

    @override
    def agent_state(self) -> dict[str, Any]:
        return {**super().agent_state(), "updates": self.updates}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        self.updates = state["updates"]
