"""Pictures of what a module that learns a game thinks of a position."""

from typing import Any, ClassVar

import numpy as np
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from callbacks.games.board_picture import board_picture
from dlmodules.errors import UserError
from dlmodules.protocols import Analyses, PlaysGames
from dlmodules.sampling.openings import random_opening


class SearchPicture(PlottingCallback):
    """Plots a position, always the same, with how often the search followed each move, and the moves it expects.

    Works with any module that plays games (``dlmodules.protocols.PlaysGames``) whose player shows what it thinks.
    Picture: ``search``.

    Args:
        simulations: of the search; 0 shows the policy alone.
        plies: moves at random before the position.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
        seed: of the moves at random.
    """

    needs: ClassVar[tuple[type, ...]] = (PlaysGames,)

    def __init__(
        self,
        simulations: int = 100,
        plies: int = 4,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if simulations < 0 or plies < 0:
            raise UserError("SearchPicture: simulations and plies must be 0 or more")
        self.simulations = simulations
        self.plies = plies
        self.seed = seed

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        game: Any = getattr(datamodule_of(trainer), "game", None)
        boards = random_opening(game, self.plies, np.random.default_rng(self.seed))
        with undisturbed(trainer, pl_module):
            assert isinstance(pl_module, PlaysGames)
            player = pl_module.player(self.simulations)
            analysis = player.analyse(game, boards) if isinstance(player, Analyses) else None
        save_figure(trainer, "search", board_picture(game, boards, analysis))
