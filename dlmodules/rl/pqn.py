"""Parallelized Q-learning, without replay and target network."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.protocols import Transition
from dlmodules.rl.action_values import ActionValueAgent
from dlmodules.rl.networks import LayerNormQNetwork
from dlmodules.rl.returns import q_lambda
from dlmodules.training.annealing import linear_annealing
from dlmodules.validation.arguments import check_fractions, require_at_least


class PQN(ActionValueAgent):
    """Q-learning from the steps of many environments just done, each of which is learnt from and forgotten.

    Layer norm in the network keeps it stable without a target network; the steps of many environments are varied
    enough without replay. Targets are those of Q(lambda), by the network as it is when the steps are done.

    Paper: Gallici et al. 2024, Simplifying Deep Temporal Difference Learning, arXiv:2407.04811.
    Books: vasilev 8.15.

    Logged besides what every agent logs: ``train/td_loss``, ``train/q_mean`` (mean of the values of the actions
    taken), ``train/epsilon``.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of the hidden layers of the default network.
        network: maps observations ``(B, ...)`` to values ``(B, num_actions)``; None builds ``LayerNormQNetwork``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each iteration; None keeps it constant.
        gamma: discount of the next value, in [0, 1].
        lambda_: how far targets follow the rewards before they bootstrap, in [0, 1].
        steps_per_iteration: environment steps, over all environments, that are learnt from together.
        minibatches: parts into which they are cut; each is an update.
        epochs: how often they are gone through.
        epsilon_start: first probability of a random action.
        epsilon_end: last probability of a random action.
        epsilon_steps: environment steps in which it goes from the first to the last along a line.
        max_grad_norm: largest norm of the gradient; None does not clip.
        normalize_observations: give the network observations of mean 0 and deviation 1 (``NormalizedNetwork``).
        normalize_rewards: learn from rewards divided by the deviation of the return (``RewardNormalizer``).
        reward_scale: factor, above 0, of the rewards that are learnt from; the values have it too.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        hidden_dims: Sequence[int] = (120, 84),
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.RAdam(p, lr=2.5e-4),
        scheduler: LRSchedulerCallable | None = None,
        gamma: float = 0.99,
        lambda_: float = 0.65,
        steps_per_iteration: int = 512,
        minibatches: int = 4,
        epochs: int = 4,
        epsilon_start: float = 1.0,
        epsilon_end: float = 0.05,
        epsilon_steps: int = 50_000,
        max_grad_norm: float | None = 10.0,
        normalize_observations: bool = False,
        normalize_rewards: bool = False,
        reward_scale: float = 1.0,
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
        require_at_least(1, minibatches=minibatches, epochs=epochs)
        check_fractions(lambda_=lambda_, epsilon_start=epsilon_start, epsilon_end=epsilon_end)
        self.lambda_ = lambda_
        self.minibatches = minibatches
        self.epochs = epochs
        self.epsilon_start = epsilon_start
        self.epsilon_end = epsilon_end
        self.epsilon_steps = epsilon_steps
        self._steps: list[Transition] = []

    @override
    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return a ``LayerNormQNetwork``."""
        return LayerNormQNetwork(observation_dim, num_actions, hidden_dims)

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit. Raises UserError."""
        super().setup(stage)
        self._steps = []

    @property
    @override
    def epsilon(self) -> float:
        return linear_annealing(self.env_steps, self.epsilon_start, self.epsilon_end, self.epsilon_steps)

    @override
    def observe(self, transition: Transition) -> None:
        self._steps.append(transition)

    @override
    def learn(self) -> dict[str, Tensor]:
        """Go through the steps of the iteration ``epochs`` times, in another order each time."""
        steps = [step.to(self.device) for step in self._steps]
        self._steps = []
        observation = torch.cat([step.observation for step in steps])
        action = torch.cat([step.action for step in steps])
        target = self.targets(steps).flatten()
        self.network.train()
        losses, values = [], []
        for _ in range(self.epochs):
            order = torch.randperm(len(target), generator=self.generator).to(self.device)
            for part in order.tensor_split(min(self.minibatches, len(order))):
                value = self(observation[part]).gather(1, action[part].unsqueeze(1)).squeeze(1)
                loss = F.mse_loss(value, target[part])
                self.descend(loss, self.network, self.optimizer_at(0))
                losses.append(loss.detach())
                values.append(value.detach().mean())
        self.step_schedule()
        means = {"td_loss": torch.stack(losses).mean(), "q_mean": torch.stack(values).mean()}
        return self.exploration() | means

    @torch.no_grad()
    def targets(self, steps: Sequence[Transition]) -> Tensor:
        """Return targets ``(T, N)`` for T steps of N environments, one after another."""
        reward, terminated, truncated = (
            torch.stack([getattr(step, name) for step in steps]) for name in ("reward", "terminated", "truncated")
        )
        next_values = self(torch.cat([step.next_observation for step in steps])).unflatten(0, reward.shape)
        return q_lambda(self.scaled(reward), terminated, truncated, next_values, self.gamma, self.lambda_)
