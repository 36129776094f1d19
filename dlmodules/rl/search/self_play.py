"""What learning from games against oneself needs besides the learning: a player, matches, checkpoints."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.checkpoints.replay_file import read_replay, replay_state
from dlmodules.errors import UserError
from dlmodules.protocols.games import Player
from dlmodules.protocols.self_play import EVERY_LINE, HeldOutGames, KeepsPositions, SelfPlaySource
from dlmodules.rl.base import Agent
from dlmodules.rl.search.arena import Match, arena, every_line
from dlmodules.rl.search.inference import Inference, Precision
from dlmodules.rl.search.network_player import NetworkPlayer
from dlmodules.rl.search.players import make_player
from dlmodules.rl.search.trees import Score
from dlmodules.training.schedules import with_schedule
from dlmodules.validation.arguments import require_at_least


class SelfPlayAgent(Agent):
    """Learns a game by playing it, with one network of policy and value; its data is a ``SelfPlayDataModule``.

    Moves are what other agents call environment steps. A child defines ``collect`` and ``learn``.

    Logged: ``train/return`` (of the first player, a win is 1, a loss -1), ``train/episode_length``, ``train/episodes``
    (games) and ``train/steps_per_second`` (moves); ``val/return``, ``val/wins`` and ``val/losses`` (the policy without
    search, against the data module's opponent: the mean result, and the fractions of games won and lost);
    ``val/search_return``, ``val/search_wins`` and ``val/search_losses`` (with search), and the same of ``test/``.

    Args:
        board_shape: rows and columns of the board.
        num_planes: maps that describe a position.
        num_actions: of the game.
        network: maps planes ``(B, C, H, W)`` to logits ``(B, A)`` and values in [-1, 1] ``(B,)``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate; None keeps it constant.
        score: what a search follows.
        steps_per_iteration: moves of an iteration, over all games.
        max_grad_norm: largest norm of the gradient; None does not clip.
        eval_simulations: of the search in validation and test; 0 measures the policy alone.
        precision: of the network while it plays.
    """

    def __init__(
        self,
        board_shape: Sequence[int],
        num_planes: int,
        num_actions: int,
        network: nn.Module,
        optimizer: OptimizerCallable,
        scheduler: LRSchedulerCallable | None,
        score: Score,
        steps_per_iteration: int,
        max_grad_norm: float | None,
        eval_simulations: int,
        precision: Precision,
    ) -> None:
        super().__init__(steps_per_iteration, max_grad_norm)
        require_at_least(0, eval_simulations=eval_simulations)
        self.board_shape = (board_shape[0], board_shape[1])
        self.num_planes = num_planes
        self.num_actions = num_actions
        self.network = network
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.score = score
        self.eval_simulations = eval_simulations
        self.precision: Precision = precision
        self._game_name = ""
        self._goes_on = False
        self.seed = int(torch.randint(2**62, ()))
        """Of all that is drawn while games are played."""

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits ``(B, A)`` and values ``(B,)`` of positions ``(B, C, H, W)``."""
        found: tuple[Tensor, Tensor] = self.network(planes)
        return found

    @property
    def game_name(self) -> str:
        """The game that it learns or has learned; empty before it has met any."""
        return self._game_name

    @property
    def self_play(self) -> SelfPlaySource:
        """The data module."""
        source: SelfPlaySource = self.trainer.datamodule  # type: ignore[attr-defined]  # set by fit
        return source

    @override
    def setup(self, stage: str) -> None:
        """Check that the network fits the game. Raises UserError, for data without games, too."""
        super().setup(stage)
        if not isinstance(self.environments, KeepsPositions):
            raise UserError(f"{type(self).__name__} learns by playing against itself: give it a SelfPlayDataModule")
        source = self.self_play
        names = ("board_shape", "num_planes", "num_actions")
        wrong = [name for name in names if getattr(self, name) != getattr(source.game, name)]
        if wrong:
            needed = ", ".join(f"{name}={getattr(source.game, name)}" for name in wrong)
            raise UserError(f"the network is not one for {source.game_name}: set {needed}")
        self._game_name, self._goes_on = source.game_name, stage == "fit"

    def inference(self) -> Inference:
        """Return what asks the network as it is now."""
        return Inference(self.network, self.device, self.precision)

    def player(self, simulations: int = 100) -> Player:
        """Return a player who searches with ``simulations`` for each move; 0 plays the policy alone."""
        return NetworkPlayer(self.inference(), self.score, simulations, type(self).__name__.lower())

    def act(self, observation: Tensor) -> Tensor:
        """Return the most probable legal actions ``(N,)``, without search.

        Args:
            observation: ``(N, C * H * W + A)``, the planes of a position and then 1 for each legal action, else 0.
        """
        observation = observation.to(self.device)
        planes, legal = observation[:, : -self.num_actions], observation[:, -self.num_actions :]
        logits: Tensor = self(planes.reshape(-1, self.num_planes, *self.board_shape))[0]
        return logits.masked_fill(legal == 0, -torch.inf).argmax(dim=1)

    @override
    def validation_step(self, games: HeldOutGames, batch_idx: int) -> None:  # type: ignore[override]  # not episodes
        """Play held-out games."""
        self._measure("val", games)

    @override
    def test_step(self, games: HeldOutGames, batch_idx: int) -> None:  # type: ignore[override]  # not episodes
        """Play held-out games."""
        self._measure("test", games)

    def _measure(self, split: str, games: HeldOutGames) -> None:
        metrics = _metrics(f"{split}/", self.match(games, 0))
        if self.eval_simulations:
            metrics |= _metrics(f"{split}/search_", self.match(games, self.eval_simulations))
        self.log_dict(metrics, batch_size=1, prog_bar=True)
        self._log_env_steps()

    def match(self, games: HeldOutGames, simulations: int) -> Match:
        """Play held-out games with a search of ``simulations``."""
        game, player = self.self_play.game, self.player(simulations)
        if games.opponent == EVERY_LINE:
            return every_line(game, player)
        opponent = make_player(games.opponent, games.seed)
        return arena(game, player, opponent, games.games, games.seed, games.opening_plies)

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer(self.network.parameters())
        return with_schedule(optimizer, self.scheduler)

    @override
    def agent_state(self) -> dict[str, Any]:
        return {**super().agent_state(), "seed": self.seed, "game_name": self.game_name}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        self.seed, self._game_name = state["seed"], state["game_name"]

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the agent's state beside its weights, and the replay of positions."""
        super().on_save_checkpoint(checkpoint)
        positions = self.self_play.positions
        checkpoint["agent"]["buffer"] = replay_state(positions, self.trainer.strategy.checkpoint_io)

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the agent's state over, and the replay where there is a run that goes on."""
        super().on_load_checkpoint(checkpoint)
        if self._goes_on:
            self.self_play.positions.load_state_dict(read_replay(checkpoint["agent"]["buffer"]))

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations: random planes, and all actions legal."""
        planes = torch.rand(n, self.num_planes * prod(self.board_shape), device=self.device)
        return torch.cat([planes, torch.ones(n, self.num_actions, device=self.device)], dim=1)


def _metrics(prefix: str, match: Match) -> dict[str, float]:
    """Return the result of a match under the names of metrics."""
    fractions = {"wins": match.wins / match.games, "losses": match.losses / match.games}
    return {f"{prefix}{name}": value for name, value in {"return": 2 * match.score - 1, **fractions}.items()}
