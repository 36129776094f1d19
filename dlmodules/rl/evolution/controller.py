"""A controller that acts by what a world model sees and remembers, found by CMA-ES."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.checkpoints.inner import frozen_module, keep_whole
from dlmodules.errors import UserError
from dlmodules.protocols import ActsInEpisodes, Memory, Perceives
from dlmodules.rl.evolution.cmaes import CMAES
from dlmodules.rl.evolution.stacked import StackedNetworks
from dlmodules.rl.evolution.untrained_world import UntrainedWorld

UNTRAINED = "untrained"
ADVICE = (
    "a controller acts by what a world model sees and remembers: give the checkpoint of an MDNRNN that has an encoder"
)


class EvolvedController(CMAES):
    """A linear map from a world model's code and memory to actions, whose weights CMA-ES finds.

    The world model turns a frame into a code z, and remembers the episode so far as h; the controller acts by both, and
    alone is searched for. In a dream (``datamodules.environments.dreams``) both are what is seen. One
    ``training_step`` is one generation, and what acts and is evaluated is the mean of the search. For CarRacing with 32
    numbers in z and 256 in h it has 867 weights.

    Logged: what ``CMAES`` logs.

    Paper: Ha & Schmidhuber 2018, World Models, arXiv:1803.10122.
    Books: foster F8.7, foster F8.8, foster F8.9.

    Args:
        world: checkpoint of a world model with an encoder, such as an ``MDNRNN``, or the model; it is not trained.
            ``untrained`` has random weights, and sees and remembers anything. Without one nothing is trained.
        memory: act by h too, and not by z alone.
        hidden_dims: units of hidden layers of the controller; the paper's has none.
        **kwargs: of ``CMAES``, all but ``observation_dim`` and ``network``.

    Raises:
        UserError: the world model does not see and remember.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        **CMAES.small_arguments,
        "population_size": 2,
        "episodes_per_candidate": 1,
        "world": UNTRAINED,
    }
    world: nn.Module
    memory: bool
    feature_dim: int
    _is_given: bool

    def __init__(
        self,
        world: str | nn.Module | None = None,
        memory: bool = True,
        hidden_dims: Sequence[int] = (),
        **kwargs: Any,
    ) -> None:
        model = frozen_module(UntrainedWorld() if world in (None, UNTRAINED) else world)
        if not isinstance(model, Perceives):
            raise UserError(f"world is {type(model).__name__}; {ADVICE}")
        features = model.latent_dim + (model.hidden_dim if memory else 0)
        super().__init__(observation_dim=features, network=None, hidden_dims=hidden_dims, **kwargs)
        assert isinstance(model, nn.Module)
        self.world, self.memory, self.feature_dim = model, memory, features
        self._is_given = world is not None

    @override
    def setup(self, stage: str) -> None:
        """Check that environment and world model fit. Raises UserError, also where there is no world model."""
        if not self._is_given:
            raise UserError(f"world is None; {ADVICE}")
        super().setup(stage)

    @property
    def model(self) -> Perceives:
        """The world model."""
        assert isinstance(self.world, Perceives)
        return self.world

    @override
    def train(self, mode: bool = True) -> "EvolvedController":
        """Go into training mode, all but the world model."""
        super().train(mode)
        self.world.eval()
        return self

    def features(self, z: Tensor, state: Memory) -> Tensor:
        """Return what the controller acts by, ``(N, F)``."""
        return torch.cat([z, self.model.hidden(state)], dim=1) if self.memory else z

    def is_dreamt(self, observation: Tensor) -> bool:
        """Whether an observation is code and memory already."""
        width = self.model.latent_dim + self.model.hidden_dim
        return observation.is_floating_point() and observation.shape[1:] == (width,)

    @override
    def example_inputs(self) -> Tensor:
        return torch.zeros(1, self.feature_dim, device=self.device)

    @override
    def forward(self, observation: Tensor) -> Tensor:
        """Return actions ``(B, ...)``, or a number for each, for what a dream shows: code and memory ``(B, ...)``."""
        return super().forward(observation[:, : self.feature_dim])

    @override
    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations of a dream."""
        draw = torch.Generator().manual_seed(0)
        return torch.rand(n, self.model.latent_dim + self.model.hidden_dim, generator=draw).to(self.device)

    def initial_state(self, n: int) -> Memory:
        """Return what is remembered of ``n`` episodes before they begin."""
        return self.model.initial_state(n) if self.memory else {"none": torch.zeros(n, 0, device=self.device)}

    @override
    @torch.no_grad()
    def act(self, observation: Tensor, state: Memory) -> tuple[Tensor, Memory]:  # type: ignore[override]
        """Return the actions ``(N, ...)`` for frames ``(N, H, W, C)`` uint8, and what is remembered after them."""
        if self.is_dreamt(observation):
            return self.choose(self.network(observation[:, : self.feature_dim].to(self.device))), state
        z = self.model.see(observation)
        action = self.choose(self.network(self.features(z, state)))
        return action, self.model.remember(z, action, state) if self.memory else state

    @override
    def acting(self, candidates: Tensor, episodes: int) -> ActsInEpisodes:
        number = len(candidates)
        stacked = StackedNetworks(self.network, candidates.to(self.device))
        remembered = self.initial_state(number * episodes)
        numbers, which = torch.empty(0), torch.empty(0)

        def act(observation: Tensor, episode: Tensor) -> Tensor:
            nonlocal numbers, which
            if episode is not numbers:
                numbers, which = episode, (episode % number).to(self.device)
            if self.is_dreamt(observation):
                return self.choose(stacked(observation[:, : self.feature_dim].to(self.device), which)).cpu()
            z = self.model.see(observation)
            state = {name: rows[episode] for name, rows in remembered.items()}
            action = self.choose(stacked(self.features(z, state), which))
            if self.memory:
                for name, rows in self.model.remember(z, action, state).items():
                    remembered[name][episode] = rows
            return action.cpu()

        return act

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the world model whole."""
        super().on_save_checkpoint(checkpoint)
        keep_whole(checkpoint, "world", self.world)
