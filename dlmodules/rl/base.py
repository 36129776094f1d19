"""What all agents share: stepping environments, counting by their steps, evaluating, resuming."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.replay_file import read_replay, replay_state
from dlmodules.errors import UserError
from dlmodules.protocols import EnvironmentSource, Transition
from dlmodules.rl.buffers import ReplayBuffer
from dlmodules.rl.evaluation import evaluate_once
from dlmodules.rl.normalization import normalizers_of
from dlmodules.rl.progress import Progress, env_steps_metrics, recent_episodes
from dlmodules.rl.requirements import require_environments, require_finite_observations
from dlmodules.training.finite import require_finite
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.training.ranks import own_state, states_to_keep
from dlmodules.training.step_logging import is_logging_step
from dlmodules.validation.arguments import require_at_least

Explored = Tensor | tuple[Tensor, dict[str, Tensor]]
"""Actions, or actions and what the agent wants to find beside them in ``Transition.info``."""


class Agent(ManualOptimizationModule):
    """Learns by acting in the environments of an ``EnvironmentDataModule``.

    One ``training_step`` is one iteration and one ``global_step``: ``steps_per_iteration`` environment
    steps, counted over all environments, then what the child learns from them. The budget
    (``total_steps`` of the data module), the loggers' x-axis and the checkpoints' ``step`` count
    environment steps. A child defines ``explore``, ``act`` (``dlmodules.protocols.Acts``), ``observe``, ``learn`` and
    ``configure_optimizers``, and extends ``agent_state`` and ``load_agent_state`` by what it must remember.

    A child with a memory of the running episode defines ``initial_state`` too, and its ``act`` takes the state and
    returns it with the actions (``dlmodules.protocols.ActsWithMemory``); whoever plays episodes keeps it. While the
    child explores it keeps its own: row i of what ``explore`` sees is always of environment i, and ``observe`` is
    told where an episode ended.

    Logged: ``train/return`` and ``train/episode_length`` (means of the last 100 finished episodes),
    ``train/episodes``, ``train/steps_per_second`` (validation excluded), ``env_steps``, whatever
    ``learn`` returns; ``val/return``, ``val/episode_length``; ``test/return``, ``test/return_std``.

    Args:
        steps_per_iteration: environment steps of an iteration, rounded up to a multiple of the number of
            environments.
        max_grad_norm: largest norm of each network's gradient in ``descend``; None does not clip.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"steps_per_iteration": 32}
    best_metric: tuple[str, str] | None = ("val/return", "max")
    data_parallel: ClassVar[bool] = False
    """Whether several processes may learn together, each from the steps of environments of its own."""
    buffer: ReplayBuffer | None = None
    """The replay buffer, if the agent has made one in ``setup``; checkpoints keep it."""

    def __init__(self, steps_per_iteration: int, max_grad_norm: float | None = None) -> None:
        super().__init__(max_grad_norm, "max_grad_norm")
        require_at_least(1, steps_per_iteration=steps_per_iteration)
        self.steps_per_iteration = steps_per_iteration
        self.env_steps = 0
        # Its own generator, so that nothing else that draws numbers changes a run; seed_everything seeds it.
        self.generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        self.progress = Progress()
        self._seen: list[Tensor] = []

    def explore(self, observation: Tensor) -> Explored:
        """Return the actions to learn from.

        Args:
            observation: ``(N, ...)`` on the CPU.

        Returns:
            The actions ``(N, ...)`` on the CPU; or a pair of them and a dict of tensors ``(N, ...)``, such as their
            log-probabilities or the values of the observations, that ``observe`` finds in ``transition.info``.
        """
        raise NotImplementedError

    def to_env(self, action: Tensor) -> Tensor:
        """Return what the environments are given for actions ``(N, ...)`` of ``explore``: the same.

        A child whose policy reaches beyond the action space clips here. ``observe`` finds the action as ``explore``
        chose it. What ``act`` returns is played as it is.
        """
        return action

    def observe(self, transition: Transition) -> None:
        """Take in one step of all environments."""
        raise NotImplementedError

    def learn(self) -> dict[str, Tensor]:
        """Update the networks after an iteration's steps and return scalars to be logged under ``train/``."""
        raise NotImplementedError

    def agent_state(self) -> dict[str, Any]:
        """Return what a resumed run needs besides the ``state_dict`` and ``buffer``, as plain values and tensors.

        What is large goes under ``buffer``: a checkpoint keeps it in a file beside it, and ``read_replay`` of
        ``dlmodules.checkpoints.replay_file`` gives it to ``load_agent_state``.
        """
        return {"env_steps": self.env_steps, "generator": self.generator.get_state()}

    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        self.env_steps = state["env_steps"]
        self.generator.set_state(state["generator"].cpu())

    @property
    def environments(self) -> EnvironmentSource:
        """The data module."""
        source: EnvironmentSource = self.trainer.datamodule  # type: ignore[attr-defined]  # set by fit
        return source

    @override
    def setup(self, stage: str) -> None:
        """Check what the agent was given. Raises UserError for several processes or another kind of data."""
        require_environments(self, "learns by acting", self.data_parallel)
        if stage == "fit":
            self.env_steps, self._seen = 0, []  # a new run; when it resumes one, load_agent_state comes next
            if self.trainer.global_rank > 0:  # other processes explore otherwise
                self.generator.manual_seed(self.generator.initial_seed() + self.trainer.global_rank)

    @override
    def on_fit_start(self) -> None:
        """Undo what an earlier run left: its networks in evaluation mode."""
        self.train()

    @override
    def on_train_start(self) -> None:
        """Start the clock, or end at once where a resumed run had used its budget."""
        self.progress.start(self.env_steps)
        self._stop_at_budget()

    @override
    def training_step(self, iteration: int, batch_idx: int) -> None:
        is_logging = is_logging_step(self)
        with self.one_global_step():
            # No dropout in acting; ``learn`` puts into training mode what it trains, which stays so without this.
            if self.training or any(child.training for child in self.children()):
                self.eval()
            self.collect()
            metrics = self.learn()
        self.note_observations()
        self._stop_at_budget()
        is_logging = is_logging or self.trainer.should_stop
        losses = {f"train/{name}": value for name, value in metrics.items() if name.endswith("loss")}
        require_finite(self, losses, self.env_steps, wait=is_logging)
        if is_logging:
            self._log_progress(metrics)

    @torch.no_grad()
    def collect(self) -> None:
        """Step the environments for one iteration, or for what is left of the budget.

        Raises:
            UserError: the last observation is not finite.
        """
        envs = self.environments.train_envs
        of_observations, of_rewards = normalizers_of(self)
        wanted = min(self.steps_per_iteration, self.environments.total_steps - self.env_steps)
        at_once = envs.num_envs * self.trainer.world_size
        for _ in range(ceil(wanted / at_once)):
            observation = envs.observation
            if of_observations:
                self._seen.append(observation)
            explored = self.explore(observation)
            action, info = explored if isinstance(explored, tuple) else (explored, None)
            given = self.to_env(action)
            step = envs.step(given, info)
            for normalizer in of_rewards:
                normalizer.update(step.reward, step.ended)
            self.observe(step if given is action else replace(step, action=action))
            self.env_steps += at_once
        require_finite_observations(envs.observation)

    def note_observations(self) -> None:
        """Add what was seen to the statistics of observations: what an iteration does and learns, it sees alike."""
        if self._seen:
            for normalizer in normalizers_of(self)[0]:
                normalizer.update(torch.cat(self._seen))
            self._seen = []

    def _stop_at_budget(self) -> None:
        if self.env_steps >= self.environments.total_steps:
            self.trainer.should_stop = True

    def _log_progress(self, metrics: dict[str, Tensor]) -> None:
        envs = self.environments.train_envs
        speed = self.progress.speed(self.env_steps)
        values: Any = {**metrics, "episodes": float(envs.episodes), "steps_per_second": speed}
        self.log_dict({f"train/{name}": value for name, value in values.items()})
        episodes = recent_episodes(envs)
        if episodes:
            self.log_dict({f"train/{name}": value for name, value in episodes.items()}, prog_bar=True)
        self._log_env_steps()

    def _log_env_steps(self) -> None:
        self.log_dict(env_steps_metrics(self.env_steps), batch_size=1)

    @override
    def on_validation_start(self) -> None:
        self.progress.pause()

    @override
    def on_validation_end(self) -> None:
        self.progress.go_on()

    @override
    def validation_step(self, seeds: list[int], batch_idx: int) -> None:
        returns, lengths = evaluate_once(self, "val", seeds)
        self.log_dict({"val/return": returns.mean(), "val/episode_length": lengths.mean()}, batch_size=1, prog_bar=True)
        self._log_env_steps()

    @override
    def test_step(self, seeds: list[int], batch_idx: int) -> None:
        returns, lengths = evaluate_once(self, "test", seeds)
        metrics = {"test/return": returns.mean(), "test/episode_length": lengths.mean()}
        self.log_dict(metrics | {"test/return_std": returns.std(correction=0)}, batch_size=1)
        self._log_env_steps()

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the agent's state beside its weights, under ``agent``."""
        checkpoint |= states_to_keep("agent", self.agent_state())
        checkpoint |= states_to_keep("lanes", _lanes_of(checkpoint["state_dict"]))
        if isinstance(self.buffer, ReplayBuffer):
            checkpoint["agent"]["buffer"] = replay_state(self.buffer, self.trainer.strategy.checkpoint_io)

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the agent's state over. Raises UserError where there is none."""
        super().on_load_checkpoint(checkpoint)
        if "agent" not in checkpoint:
            raise UserError("the checkpoint is not of an agent: it holds weights but no counts of environment steps")
        self.load_agent_state(own_state("agent", checkpoint))
        if "lanes" in checkpoint:
            checkpoint["state_dict"] |= own_state("lanes", checkpoint)
        if isinstance(self.buffer, ReplayBuffer):
            self.buffer.load_state_dict(read_replay(checkpoint["agent"]["buffer"]))

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations ``(n, ...)`` such as ``act`` takes."""
        raise NotImplementedError


def _lanes_of(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return what parts of an agent remember of each environment of this process, such as the running returns."""
    return {name: value for name, value in state_dict.items() if name.endswith("_extra_state")}
