"""What agents share that learn what a given policy is worth, from what happens to it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import StateStep, Transition
from dlmodules.protocols.dynamics import Numbers
from dlmodules.rl.base import Agent
from dlmodules.rl.requirements import known_dynamics, require_memory, require_table_size
from dlmodules.rl.tabular.planning import policy_rows, solve
from dlmodules.training.one_step import placeholder_optimizer
from dlmodules.validation.arguments import check_fractions, require_at_least


class Prediction(Agent):
    """Learns the value of each state under a policy that stays as it is, by following it.

    The values are a float64 buffer; learning is on the CPU. A child defines ``update``.

    Who knows the values of states alone cannot tell which action is better, without knowing where actions lead. So
    ``act`` does what the policy does most often, the first of several alike, and ``val/return`` says little.

    Logged besides what every agent logs: ``train/td_error`` (mean size of the errors of an iteration); where the
    environment has a table of its transitions, ``val/value_error`` and ``test/value_error``, the root of the mean
    squared difference to the exact values, over the states that are not terminal.

    Args:
        num_states: of the environment.
        num_actions: of the environment.
        gamma: discount of the next value, in [0, 1].
        policy: the probabilities of the actions in each state, ``(S, A)``; None takes all actions alike.
        initial_value: what the values begin with.
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"steps_per_iteration": 64}
    best_metric = None
    """The last values are the result: none is chosen by what they are to be compared with."""

    v: Tensor
    policy: Tensor

    def __init__(
        self,
        num_states: int = 21,
        num_actions: int = 2,
        gamma: float = 1.0,
        policy: Sequence[Sequence[float]] | None = None,
        initial_value: float = 0.0,
        steps_per_iteration: int = 1_000,
    ) -> None:
        super().__init__(steps_per_iteration)
        save_portable_hyperparameters(self)
        require_at_least(1, num_states=num_states, num_actions=num_actions)
        require_memory(num_states, num_actions)
        check_fractions(gamma=gamma)
        self.num_states = num_states
        self.num_actions = num_actions
        self.gamma = gamma
        self.register_buffer("v", torch.full((num_states,), initial_value, dtype=torch.float64))
        self.register_buffer("policy", policy_rows(policy, num_states, num_actions))
        self.errors: list[float] = []

    @override
    def setup(self, stage: str) -> None:
        """Check that table and environment fit. Raises UserError."""
        super().setup(stage)
        require_table_size(self.environments, self.num_states, self.num_actions)

    @override
    def collect(self) -> None:
        self.errors = []
        self.table: Numbers = self.v.cpu().numpy()  # the same memory, where the module is on the CPU
        super().collect()
        if self.v.device.type != "cpu":
            self.v.copy_(torch.from_numpy(self.table))

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return actions ``(N,)`` of the policy in states ``(N,)`` int64."""
        return torch.multinomial(self.policy.cpu()[observation], 1, generator=self.generator).squeeze(1)

    @override
    def observe(self, transition: Transition) -> None:
        self.update(
            StateStep(
                transition.observation.numpy(),
                transition.action.numpy(),
                transition.reward.double().numpy(),
                transition.next_observation.numpy(),
                transition.terminated.numpy(),
                transition.truncated.numpy(),
            )
        )

    def update(self, step: StateStep) -> None:
        """Learn from one step of all environments: arrays ``(N,)``."""
        raise NotImplementedError

    def note(self, error: Numbers) -> None:
        """Count the errors of an update, for the log."""
        self.errors.append(float(np.abs(error).mean()))

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: each step was learnt from when it was done."""
        return {"td_error": torch.tensor(self.errors).mean()} if self.errors else {}

    @override
    def validation_step(self, seeds: list[int], batch_idx: int) -> None:
        super().validation_step(seeds, batch_idx)
        self._log_value_error("val")

    @override
    def test_step(self, seeds: list[int], batch_idx: int) -> None:
        super().test_step(seeds, batch_idx)
        self._log_value_error("test")

    def _log_value_error(self, stage: str) -> None:
        dynamics = known_dynamics(self.environments)
        if dynamics is None:
            return
        try:
            exact = solve(dynamics, self.policy.cpu(), self.gamma)
        except UserError:  # the policy has no value: it may go on for ever
            return
        error = (self.v.cpu() - exact)[~dynamics.terminal]
        self.log(f"{stage}/value_error", error.square().mean().sqrt(), batch_size=1)

    def state_values(self) -> Tensor:
        """Return the values ``(S,)`` of the states."""
        return self.v

    def forward(self, observation: Tensor) -> Tensor:
        """Return the values ``(B,)`` of states ``(B,)`` int64."""
        return self.v[observation]

    def act(self, observation: Tensor) -> Tensor:
        """Return what the policy does most often ``(N,)`` in states ``(N,)`` int64."""
        return self.policy[observation.to(self.device)].argmax(dim=1)

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        """There is nothing to optimize: iterations are counted by it."""
        return placeholder_optimizer()

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` states ``(n,)`` int64, drawn alike."""
        return torch.randint(self.num_states, (n,), device=self.device)
