"""Pictures of an agent's table of values."""

import torch
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from callbacks.episodes.cells import Cells
from callbacks.episodes.table_figures import table_figure
from callbacks.episodes.tables import grid_of, require_table, values_of


class TablePicture(PlottingCallback):
    """Plots the values of an agent whose states are numbered: a map where they lie on a grid, else a heat map.

    On a grid a state has its value and an arrow for each of its best actions; beside it the values of its actions stand
    in four triangles. Works with any module that has ``action_values`` or ``state_values``
    (``dlmodules.protocols.HasActionValues``, ``HasStateValues``); the grid is that of the data module's environment,
    which shows it by ``grid_shape``, by ``nrow`` and ``ncol`` or by ``shape``, and its transitions by ``P``.
    Picture: ``table``.

    Args:
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    def __init__(self, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        self._cells: Cells | None = None

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without a table, and look at the environment."""
        super().setup(trainer, pl_module, stage)
        require_table(self, pl_module)
        self._cells = grid_of(datamodule_of(trainer))

    @override
    @torch.no_grad()
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        with undisturbed(trainer, pl_module):
            v, q = values_of(pl_module)
        save_figure(trainer, "table", table_figure(self._cells, v, q))
