"""AlphaZero: a network learns from a search that it leads, in games against itself."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols.games import Boards, Floats, Integers
from dlmodules.protocols.self_play import Positions
from dlmodules.rl.search.inference import Memory, Precision
from dlmodules.rl.search.learning import examples_of, policy_loss, turned, value_target
from dlmodules.rl.search.networks import PolicyValueNetwork
from dlmodules.rl.search.policies import add_noise, draw, pruned_visits, visit_policy, without_proven_worse
from dlmodules.rl.search.puct import Found, PessimisticPUCT, search
from dlmodules.rl.search.self_play import SelfPlayAgent
from dlmodules.validation.arguments import check_at_least, check_fractions, require_at_least


class Decision(NamedTuple):
    """What is done in N positions and learnt of them.

    Attributes:
        action: ``(N,)``, the moves.
        policy: ``(N, A)``, the targets of the policy.
        value: ``(N,)``, what the search thinks the positions worth to the player to move.
    """

    action: Integers
    policy: Floats
    value: Floats


class AlphaZero(SelfPlayAgent):
    """Learns a game by playing against itself.

    One network has a policy and a value. A search that it leads makes a better policy of it, by which the games are
    played, and the network learns that policy and how the games ended. One ``training_step`` plays
    ``steps_per_iteration`` moves and makes ``updates_per_iteration`` updates; moves are what other agents call
    environment steps.

    Paper: Silver et al. 2017, Mastering Chess and Shogi by Self-Play with a General Reinforcement Learning Algorithm,
    arXiv:1712.01815.
    Books: vasilev 9.12.

    Logged besides what ``SelfPlayAgent`` logs: ``train/loss``, ``train/policy_loss``, ``train/value_loss``,
    ``train/search_value`` (mean size of what searches think positions worth), ``train/repeated`` (fraction of positions
    that the network need not be asked for again).

    Args:
        board_shape: rows and columns of the board.
        num_planes: maps that describe a position.
        num_actions: of the game.
        channels: maps of each convolution of the default network.
        blocks: residual blocks of the default network.
        network: maps planes ``(B, C, H, W)`` to logits ``(B, A)`` and values in [-1, 1] ``(B,)``; None builds
            ``PolicyValueNetwork``.
        optimizer: makes the optimizer; its weight decay is the L2 term of the paper.
        scheduler: makes a schedule of the learning rate, stepped after each iteration that has learned something; None
            keeps it constant.
        simulations: of the search for a move.
        fast_simulations: of the search for a move that is only played, not learnt.
        full_fraction: fraction of the moves that are searched with ``simulations`` and learnt, in (0, 1].
        exploration: factor of the priors in the search, c of PUCT.
        reduction: how much less than its position a move that was never followed is worth in the search.
        noise_fraction: fraction of Dirichlet noise in the priors of the moves to be searched for, in [0, 1].
        noise_concentration: of the noise, over all legal moves together.
        prune_targets: take out of the policy's target what only the noise has led to.
        temperature_plies: in so many plies of a game a move is drawn by the visits; then the most visited is played.
        search_fraction: fraction of the search's value in the target of the value, in [0, 1]; the rest is the outcome.
        symmetries: turn the positions that are learnt from by a symmetry of the game, drawn at random.
        steps_per_iteration: moves of an iteration, over all games.
        updates_per_iteration: updates after them, as soon as there are enough positions for a batch.
        batch_size: positions of an update.
        max_grad_norm: largest norm of the gradient; None does not clip.
        eval_simulations: of the search in validation and test; 0 measures the policy alone.
        precision: of the network while it plays: ``bfloat16`` is faster where the processor has instructions for it.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "channels": 4,
        "blocks": 1,
        "simulations": 2,
        "eval_simulations": 1,
        "steps_per_iteration": 32,
        "updates_per_iteration": 1,
        "batch_size": 16,
    }

    def __init__(
        self,
        board_shape: Sequence[int] = (3, 3),
        num_planes: int = 2,
        num_actions: int = 9,
        channels: int = 32,
        blocks: int = 2,
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.AdamW(p, lr=2e-3, weight_decay=1e-4),
        scheduler: LRSchedulerCallable | None = None,
        simulations: int = 64,
        fast_simulations: int = 16,
        full_fraction: float = 1.0,
        exploration: float = 1.5,
        reduction: float = 0.2,
        noise_fraction: float = 0.25,
        noise_concentration: float = 10.0,
        prune_targets: bool = True,
        temperature_plies: int = 8,
        search_fraction: float = 0.5,
        symmetries: bool = True,
        steps_per_iteration: int = 512,
        updates_per_iteration: int = 8,
        batch_size: int = 256,
        max_grad_norm: float | None = None,
        eval_simulations: int = 0,
        precision: Precision = "float32",
    ) -> None:
        if len(board_shape) != 2 or min(board_shape) < 1:
            raise UserError(f"board_shape is {list(board_shape)}; it must be two numbers, rows and columns")
        shape = (board_shape[0], board_shape[1])
        super().__init__(
            board_shape=shape,
            num_planes=num_planes,
            num_actions=num_actions,
            network=network or PolicyValueNetwork(shape, num_planes, num_actions, channels, blocks),
            optimizer=optimizer,
            scheduler=scheduler,
            score=PessimisticPUCT(exploration, reduction),
            steps_per_iteration=steps_per_iteration,
            max_grad_norm=max_grad_norm,
            eval_simulations=eval_simulations,
            precision=precision,
        )
        save_portable_hyperparameters(self)
        require_at_least(1, simulations=simulations, fast_simulations=fast_simulations, batch_size=batch_size)
        require_at_least(0, temperature_plies=temperature_plies, updates_per_iteration=updates_per_iteration)
        check_fractions(full_fraction=full_fraction, noise_fraction=noise_fraction, search_fraction=search_fraction)
        check_at_least(0, exploration=exploration, noise_concentration=noise_concentration)
        self.simulations = simulations
        self.fast_simulations = fast_simulations
        self.full_fraction = full_fraction
        self.exploration = exploration
        self.noise_fraction = noise_fraction
        self.noise_concentration = noise_concentration
        self.prune_targets = prune_targets
        self.temperature_plies = temperature_plies
        self.search_fraction = search_fraction
        self.symmetries = symmetries
        self.updates_per_iteration = updates_per_iteration
        self.batch_size = batch_size
        self._played: dict[str, Tensor] = {}

    @override
    def collect(self) -> None:
        """Play the moves of an iteration, or what is left of the budget, in all games side by side."""
        source = self.self_play
        games, memory = source.train_envs, Memory(self.inference(), source.game)
        wanted = min(self.steps_per_iteration, source.total_steps - self.env_steps)
        sizes = []
        for _ in range(ceil(wanted / games.num_envs)):
            # What is drawn for a move hangs on its number alone, so there is no state of a generator to be kept.
            generator = np.random.default_rng((self.seed, self.env_steps))
            is_full = bool(generator.random() < self.full_fraction)
            decision = self.decide(games.boards, memory, is_full, generator)
            games.play(decision.action, decision.policy, decision.value, np.full(games.num_envs, is_full))
            self.env_steps += games.num_envs
            sizes.append(np.abs(decision.value).mean())
        repeated = 1 - memory.computed / memory.asked
        self._played = {"search_value": torch.tensor(np.mean(sizes)), "repeated": torch.tensor(repeated)}

    def decide(self, boards: Boards, memory: Memory, is_full: bool, generator: np.random.Generator) -> Decision:
        """Search running games, choose moves, and say what is to be learnt.

        Args:
            boards: N positions.
            memory: asks the network.
            is_full: whether it is to be learnt from, hence searched with all ``simulations`` and with noise.
            generator: of all that is drawn.
        """
        noise = partial(
            add_noise, fraction=self.noise_fraction, concentration=self.noise_concentration, generator=generator
        )
        simulations = self.simulations if is_full else self.fast_simulations
        found = search(self.self_play.game, boards, memory, simulations, self.score, noise if is_full else None)
        temperature = np.where(boards.ply < self.temperature_plies, 1.0, 0.0)
        action = draw(without_proven_worse(found.visits, found), temperature, generator)
        return Decision(action, self.policy_target(found), found.value)

    def policy_target(self, found: Found) -> Floats:
        """Return what the policy is to become, ``(N, A)``, in positions that were searched."""
        visits = pruned_visits(found, self.exploration) if self.prune_targets else found.visits
        return visit_policy(without_proven_worse(visits, found))

    @override
    def learn(self) -> dict[str, Tensor]:
        """Update the network with positions of ended games."""
        positions = self.self_play.positions
        if len(positions) < self.batch_size or not self.updates_per_iteration:
            return self._played
        self.network.train()
        losses = []
        for _ in range(self.updates_per_iteration):
            of_policy, of_value = self.losses(positions.sample(self.batch_size, self.generator))
            self.descend(of_policy + of_value, self.network, self.optimizer_at(0))
            losses.append(torch.stack([of_policy.detach(), of_value.detach()]))
        self.step_schedule()
        of_policy, of_value = torch.stack(losses).mean(dim=0)
        return {"loss": of_policy + of_value, "policy_loss": of_policy, "value_loss": of_value, **self._played}

    def losses(self, positions: Positions) -> tuple[Tensor, Tensor]:
        """Return the loss ``()`` of the policy, and that of the value, of positions of ended games."""
        game = self.self_play.game
        examples = examples_of(game, positions)
        if self.symmetries:
            which = torch.randint(len(game.symmetries), (len(positions.value),), generator=self.generator)
            examples = turned(game, examples, which.numpy())
        target = value_target(positions, self.search_fraction)
        planes, legal, policy, outcome = (torch.from_numpy(array).to(self.device) for array in (*examples, target))
        logits, value = self(planes.contiguous(memory_format=torch.channels_last))
        return policy_loss(logits, legal, policy), F.mse_loss(value, outcome)
