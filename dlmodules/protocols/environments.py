"""What an agent asks of its environments and of the data module that makes them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from torch import Tensor

from dlmodules.protocols.dynamics import Dynamics
from dlmodules.protocols.transition import Transition


class EnvironmentStream(Protocol):
    """The training environments, as ``datamodules.EnvironmentDataModule`` gives them; tensors are on the CPU.

    Row i of every tensor belongs to environment i, from the first step to the last.
    """

    num_envs: int
    observation: Tensor
    episodes: int
    recent_returns: Sequence[float]
    recent_lengths: Sequence[int]

    def step(self, action: Tensor, info: Mapping[str, Tensor] | None = None) -> Transition:
        """Do the actions ``(N, ...)``; ``info`` becomes that of the transition."""
        ...


@runtime_checkable
class AsksExpert(Protocol):
    """Training environments whose states an expert may be asked about."""

    def expert_actions(self) -> Tensor:
        """Return what an expert would do now, ``(N, ...)``. Raises UserError where there is none."""
        ...


class EnvironmentSource(Protocol):
    """What an agent asks of its data module."""

    total_steps: int
    exploring_starts: bool
    """Whether training episodes begin in every state alike."""

    @property
    def train_envs(self) -> EnvironmentStream:
        """The environments to learn in."""
        ...

    @property
    def observation_space(self) -> Any:
        """The Gymnasium space of one observation."""
        ...

    @property
    def action_space(self) -> Any:
        """The Gymnasium space of one action."""
        ...

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of an observation of ``Box``."""
        ...

    @property
    def num_actions(self) -> int:
        """The number of discrete actions."""
        ...

    @property
    def action_dim(self) -> int:
        """The numbers in an action of ``Box``."""
        ...

    @property
    def num_states(self) -> int:
        """The number of observations where they are numbered."""
        ...

    @property
    def transitions(self) -> Dynamics:
        """The table of all that can happen, where the environment has one."""
        ...

    @property
    def stacked_frames(self) -> int:
        """How many frames, oldest first, an observation stacks along its first axis; 1 where it stacks none."""
        ...

    def evaluation_envs(self, split: Literal["val", "test"]) -> list[Any]:
        """Gymnasium environments to play held-out episodes in."""
        ...
