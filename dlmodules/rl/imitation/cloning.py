"""Behavioural cloning: a driver of CarRacing that does what an expert did."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import AsksExpert, Transition
from dlmodules.protocols.driving_keys import KEYS, actions_of, keys_of
from dlmodules.rl.base import Agent
from dlmodules.rl.buffers import ReplayBuffer
from dlmodules.rl.imitation.views import VIEW, CloningNetwork, frames_shape, grey_view, require_frames
from dlmodules.rl.spaces import check_outputs, example_observation
from dlmodules.training.schedules import with_schedule
from dlmodules.validation.arguments import check_at_least, check_fractions, require_at_least

LOW, HIGH = (-1.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""Bounds of steering, gas and brake."""
WANDERING = 0.9
"""Part of a disturbance of the steering that is left after a step."""


class BehaviouralCloning(Agent):
    """Learns from frames what an expert does in them, as one learns classes or numbers, and does it.

    The expert drives ``expert_steps`` steps, which are all that is ever learnt from. From then on the network learns,
    and drives by itself meanwhile: ``train/return`` tells how well. Rewards are not learnt from.

    An expert who never leaves the middle does not show how to come back to it. With ``disturbance`` its steering is
    disturbed while it drives, and what is learnt is what it wanted to do.

    Paper: Bain & Sammut 1995, A Framework for Behavioural Cloning, Machine Intelligence 15; Laskey et al. 2017, DART:
        Noise Injection for Robust Imitation Learning, arXiv:1703.09327.
    Books: vasilev 10.7.

    Logged besides what every agent logs: ``train/loss`` (mean over the updates of the last iteration),
    ``train/expert_part`` (the probability that the expert drives), ``train/frames`` (that are learnt from).

    Args:
        continuous: learn the numbers steering, gas and brake; without it the nearest of the book's seven sets of keys
            (``dlmodules.protocols.driving_keys``).
        num_frames: frames that are looked at together; more than one come of ``FrameStackObservation``.
        expert_steps: environment steps that the expert drives at first, over all environments.
        disturbance: standard deviation of what is added to the expert's steering while it drives, 0 or more; it changes
            slowly, so that the car comes off the expert's line.
        balance: for keys, in [0, 1]; a frame counts by the frames of its class in the batch to the power of minus this:
            with 0 all frames alike, with 1 all classes that are there alike.
        mirror: mirror half of a batch's frames, and the steering with them.
        dropout: of the default network, in [0, 1).
        network: maps views ``(B, num_frames, 84, 84)`` in [0, 1] to logits ``(B, 7)`` of the keys, with ``continuous``
            to ``(B, 3)``, of which hyperbolic tangents make an action; None builds ``CloningNetwork``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each iteration that learns; None keeps it
            constant.
        batch_size: frames in an update, at least 2.
        buffer_capacity: frames that are kept to learn from.
        steps_per_iteration: environment steps between two rounds of updates, over all environments.
        updates_per_iteration: updates in a round.
        max_grad_norm: largest norm of the gradient; None does not clip.

    Raises:
        UserError: for a number out of range, and for environments without frames of CarRacing or without an expert.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        **{"expert_steps": 8, "buffer_capacity": 200, "batch_size": 4},
        **{"steps_per_iteration": 8, "updates_per_iteration": 1},
    }

    def __init__(
        self,
        continuous: bool = False,
        num_frames: int = 1,
        expert_steps: int = 16_000,
        disturbance: float = 0.0,
        balance: float = 0.5,
        mirror: bool = True,
        dropout: float = 0.5,
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
        batch_size: int = 64,
        buffer_capacity: int = 100_000,
        steps_per_iteration: int = 64,
        updates_per_iteration: int = 16,
        max_grad_norm: float | None = None,
    ) -> None:
        super().__init__(steps_per_iteration, max_grad_norm)
        save_portable_hyperparameters(self)
        check_fractions(balance=balance)
        check_at_least(0, disturbance=disturbance)
        # Of a single frame a batch norm knows no deviation.
        require_at_least(2, batch_size=batch_size)
        require_at_least(1, expert_steps=expert_steps, updates_per_iteration=updates_per_iteration)
        require_at_least(batch_size, buffer_capacity=buffer_capacity)
        self.continuous, self.num_frames, self.expert_steps = continuous, num_frames, expert_steps
        self.disturbance, self.balance, self.mirror = disturbance, balance, mirror
        self.outputs = len(LOW) if continuous else len(KEYS)
        self.network = CloningNetwork(self.outputs, num_frames, dropout) if network is None else network
        self.optimizer, self.scheduler = optimizer, scheduler
        self._off: Tensor | None = None  # (N,) what was added last
        self.batch_size, self.buffer_capacity = batch_size, buffer_capacity
        self.updates_per_iteration = updates_per_iteration

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit, and reserve the memory of frames. Raises UserError."""
        super().setup(stage)
        require_frames(self.environments.observation_shape, self.num_frames)
        if self.environments.action_dim != len(LOW):
            raise UserError("cloning steers, gives gas and brakes: it needs the continuous actions of CarRacing")
        observation = example_observation(self.environments).to(self.device)
        check_outputs(self.network, observation, self.outputs, self)
        if stage == "fit":
            shape = (self.num_frames, VIEW, VIEW)
            self._off = None
            self.buffer = ReplayBuffer(self.buffer_capacity, shape, torch.uint8, self.num_frames)

    def forward(self, frames: Tensor) -> Tensor:
        """Return what the network gives for frames ``(B, 96, 96, 3)`` or ``(B, num_frames, 96, 96, 3)`` uint8."""
        return self.look(grey_view(frames))

    def look(self, view: Tensor) -> Tensor:
        """Return what the network gives for views ``(B, num_frames, 84, 84)`` uint8."""
        found: Tensor = self.network(view.float() / 255)
        return found

    def to_actions(self, outputs: Tensor) -> Tensor:
        """Return the actions ``(B, 3)`` for outputs of the network ``(B, ...)``."""
        if not self.continuous:
            return actions_of(outputs.argmax(1))
        low, high = outputs.new_tensor(LOW), outputs.new_tensor(HIGH)
        return low + (outputs.tanh() + 1) / 2 * (high - low)

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the actions ``(N, 3)`` for frames such as ``forward`` takes."""
        return self.to_actions(self(observation.to(self.device)))

    @property
    def expert_part(self) -> float:
        """The probability, in [0, 1], that the expert drives now, in each environment and step by itself."""
        return 1.0 if self.env_steps < self.expert_steps else 0.0

    @override
    def explore(self, observation: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what the expert or the network does, and with it what the expert would do."""
        envs = self.environments.train_envs
        if not isinstance(envs, AsksExpert):
            raise UserError(f"{type(self).__name__} asks an expert: set vectorization to sync or async")
        wanted = envs.expert_actions()
        action, part = self.disturbed(wanted), self.expert_part
        if part < 1:
            is_driving = torch.rand(len(wanted), generator=self.generator) < part
            action = torch.where(is_driving[:, None], action, self.act(observation).cpu())
        return action, {"expert_action": wanted}

    def disturbed(self, action: Tensor) -> Tensor:
        """Return the expert's actions ``(N, 3)`` with what is added to their steering in this step."""
        if not self.disturbance:
            return action
        fresh = self.disturbance * torch.randn(len(action), generator=self.generator)
        self._off = fresh if self._off is None else WANDERING * self._off + (1 - WANDERING**2) ** 0.5 * fresh
        steering = (action[:, 0] + self._off).clamp(-1.0, 1.0)
        return torch.cat([steering[:, None], action[:, 1:]], dim=1)

    @override
    def observe(self, transition: Transition) -> None:
        """Keep what the expert drives."""
        if self.expert_part > 0:
            self.keep(transition)

    def keep(self, transition: Transition) -> None:
        """Keep a step to learn from."""
        assert self.buffer is not None
        seen, then = grey_view(transition.observation), grey_view(transition.next_observation)
        self.buffer.add(replace(transition, observation=seen, next_observation=then))

    @override
    def learn(self) -> dict[str, Tensor]:
        """Make a round of updates, once the expert has shown how to drive."""
        assert self.buffer is not None
        metrics = {"expert_part": torch.tensor(self.expert_part), "frames": torch.tensor(float(len(self.buffer)))}
        if self.env_steps < self.expert_steps:
            return metrics
        self.network.train()
        losses = []
        for _ in range(self.updates_per_iteration):
            drawn = self.buffer.sample(self.batch_size, self.generator)
            losses.append(self.update(drawn.observation.to(self.device), drawn.info["expert_action"].to(self.device)))
        self.step_schedule()
        return metrics | {"loss": torch.stack(losses).mean()}

    def update(self, view: Tensor, action: Tensor) -> Tensor:
        """Do one gradient step on views ``(B, num_frames, 84, 84)`` and the expert's actions; return its loss."""
        if self.mirror:
            view, action = self.mirrored(view, action)
        loss = self.loss(self.look(view), action)
        self.descend(loss, self.network, self.optimizer_at(0))
        return loss.detach()

    def mirrored(self, view: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Return views and actions ``(B, 3)`` with half of them, drawn at random, as in a mirror."""
        chosen = (torch.rand(len(view), generator=self.generator) < 0.5).to(view.device)
        view = torch.where(chosen[:, None, None, None], view.flip(-1), view)
        return view, torch.where(chosen[:, None], action * action.new_tensor([-1.0, 1.0, 1.0]), action)

    def loss(self, outputs: Tensor, action: Tensor) -> Tensor:
        """Return the loss ``()`` of outputs ``(B, ...)`` of the network where the expert did ``action`` ``(B, 3)``."""
        if self.continuous:
            # Least for the mean: an expert brakes in pulses, of which absolute errors would find the median, 0.
            return F.mse_loss(self.to_actions(outputs), action)
        keys = keys_of(action)
        counts = torch.bincount(keys, minlength=len(KEYS)).clamp(min=1)
        return F.cross_entropy(outputs, keys, counts.to(outputs.dtype).pow(-self.balance))

    @override
    def agent_state(self) -> dict[str, Any]:
        return {**super().agent_state(), "off": self._off}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        self._off = state["off"]

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer(self.network.parameters())
        return with_schedule(optimizer, self.scheduler)

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations ``(n, 96, 96, 3)``, or ``(n, num_frames, 96, 96, 3)``, uint8."""
        draw = torch.Generator().manual_seed(0)
        shape = (n, *frames_shape(self.num_frames))
        return torch.randint(256, shape, generator=draw, dtype=torch.uint8).to(self.device)
