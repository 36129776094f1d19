"""What planning has in common: values from the table of all that can happen, a sweep over all states at a time."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.protocols import Dynamics, EnvironmentSource
from dlmodules.rl.evaluation import play_episodes
from dlmodules.rl.requirements import require_environments, require_memory, require_table_size
from dlmodules.rl.tabular.planning import action_values, deterministic_policy, exact_return, greedy_policy
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.training.one_step import placeholder_optimizer
from dlmodules.training.step_logging import is_logging_step
from dlmodules.validation.arguments import check_at_least, check_fractions, require_at_least


class Planner(ManualOptimizationModule):
    """Computes values from the transitions of an ``EnvironmentDataModule``, without a step in an environment.

    A sweep, which gives every state a new value, is one ``training_step`` and one ``global_step``: ``total_steps`` and
    ``steps_per_epoch`` of the data module count sweeps here, and so does the loggers' x-axis. The values are float64
    buffers, computed on the CPU. A child defines ``sweep``; one that does something between two overrides
    ``after_sweep``.

    Logged: ``train/delta`` (the largest change of a value), ``train/value`` (the mean over the states where episodes
    begin), ``train/sweep``; ``val/return``, ``val/episode_length`` of held-out episodes; ``test/return``,
    ``test/return_std``, ``test/exact_return`` (what is to be expected of the greedy policy, from the table, within the
    time limit where there is one), ``test/value`` and ``test/sweeps``.

    Args:
        num_states: of the environment.
        num_actions: of the environment.
        gamma: discount of the next value, in [0, 1]. With 1 a policy must come to an end from everywhere.
        theta: sweeps end when no value changes by as much; 0 never ends them.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"theta": 0.0}
    best_metric: tuple[str, str] | None = None
    """A sweep is better than the one before: there is none to choose."""

    v: Tensor
    q: Tensor

    def __init__(self, num_states: int = 16, num_actions: int = 4, gamma: float = 0.9, theta: float = 1e-8) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        require_at_least(1, num_states=num_states, num_actions=num_actions)
        require_memory(num_states, num_actions)
        check_fractions(gamma=gamma)
        check_at_least(0, theta=theta)
        self.num_states = num_states
        self.num_actions = num_actions
        self.gamma = gamma
        self.theta = theta
        self.delta = float("inf")
        self.sweeps = 0
        self.has_converged = False
        self.register_buffer("v", torch.zeros(num_states, dtype=torch.float64))
        self.register_buffer("q", torch.zeros(num_states, num_actions, dtype=torch.float64))

    def sweep(self, dynamics: Dynamics, v: Tensor) -> tuple[Tensor, float]:
        """Return new values ``(S,)`` of all states, and the largest change, from ``v`` ``(S,)`` on the CPU."""
        raise NotImplementedError

    def after_sweep(self) -> bool:
        """Do what comes between two sweeps, and return whether no other is needed."""
        return self.delta < self.theta

    def measures(self) -> dict[str, Tensor]:
        """Return scalars to be logged under ``train/`` after a sweep."""
        value = self.environments.transitions.initial @ self.v.cpu()
        return {"delta": torch.tensor(self.delta), "value": value}

    def state_values(self) -> Tensor:
        """Return the values ``(S,)`` of the states."""
        return self.v

    def action_values(self) -> Tensor:
        """Return the values ``(S, A)`` of one action and then what ``state_values`` promises."""
        return self.q

    def forward(self, observation: Tensor) -> Tensor:
        """Return the values ``(B, A)`` of the actions in states ``(B,)`` int64."""
        return self.q[observation]

    def act(self, observation: Tensor) -> Tensor:
        """Return the best actions ``(N,)`` in states ``(N,)`` int64: the first of them where several are."""
        return greedy_policy(self(observation.to(self.device))).argmax(dim=1)

    @property
    def environments(self) -> EnvironmentSource:
        """The data module."""
        source: EnvironmentSource = self.trainer.datamodule  # type: ignore[attr-defined]  # set by fit
        return source

    @override
    def setup(self, stage: str) -> None:
        """Check that table and environment fit, and that it has transitions. Raises UserError."""
        source = require_environments(self, "plans with the transitions of an environment")
        require_table_size(source, self.num_states, self.num_actions)
        _ = source.transitions
        if stage == "fit":
            self.sweeps, self.has_converged = 0, False  # a new run; when it resumes one, on_load_checkpoint comes next

    @override
    def on_train_start(self) -> None:
        """End at once where a resumed run had converged."""
        self._stop_at_end()

    @override
    def training_step(self, number: int, batch_idx: int) -> None:
        """Do one sweep."""
        is_logging = is_logging_step(self)
        with self.one_global_step():
            v, self.delta = self.sweep(self.environments.transitions, self.v.cpu())
            self.v.copy_(v)
            self.q.copy_(action_values(self.environments.transitions, v, self.gamma))
            self.sweeps += 1
            self.has_converged = self.after_sweep()
        self._stop_at_end()
        if is_logging or self.trainer.should_stop:
            self.log_dict({f"train/{name}": value for name, value in self.measures().items()}, prog_bar=True)
            self.log("train/sweep", float(self.sweeps))
            self._log_sweeps()

    def _stop_at_end(self) -> None:
        if self.has_converged or self.sweeps >= self.environments.total_steps:
            self.trainer.should_stop = True

    def _log_sweeps(self) -> None:
        # Lightning takes a metric of the name "step" as the x-axis of everything logged with it.
        self.log("step", float(self.sweeps), batch_size=1)

    @override
    def validation_step(self, seeds: list[int], batch_idx: int) -> None:
        """Play the validation episodes and log ``val/return``."""
        returns, lengths = play_episodes(self.act, self.environments.evaluation_envs("val"), seeds)
        self.log_dict({"val/return": returns.mean(), "val/episode_length": lengths.mean()}, batch_size=1, prog_bar=True)
        self._log_sweeps()

    @override
    def test_step(self, seeds: list[int], batch_idx: int) -> None:
        """Play the test episodes, and compute the return to be expected."""
        returns, lengths = play_episodes(self.act, self.environments.evaluation_envs("test"), seeds)
        metrics = {"test/return": returns.mean(), "test/episode_length": lengths.mean()}
        metrics |= {"test/return_std": returns.std(correction=0)}
        dynamics = self.environments.transitions
        policy = deterministic_policy(self.act(torch.arange(self.num_states)).cpu(), self.num_actions)
        metrics["test/exact_return"] = exact_return(dynamics, policy)
        metrics["test/value"] = dynamics.initial @ self.v.cpu()
        metrics["test/sweeps"] = torch.tensor(float(self.sweeps))
        self.log_dict(metrics, batch_size=1)
        self._log_sweeps()

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        """There is nothing to optimize: sweeps are counted by it."""
        return placeholder_optimizer()

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put beside the values, under ``agent``, after how many sweeps they are, and whether they are final."""
        checkpoint["agent"] = {"sweeps": self.sweeps, "has_converged": self.has_converged}

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it over."""
        super().on_load_checkpoint(checkpoint)
        state = checkpoint["agent"]
        self.sweeps, self.has_converged = state["sweeps"], state["has_converged"]

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` states ``(n,)`` int64, drawn alike."""
        return torch.randint(self.num_states, (n,), device=self.device)
