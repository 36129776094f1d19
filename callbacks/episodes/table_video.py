"""Films of an agent's episodes with its table beside them."""

from functools import cache
from typing import Any, ClassVar

import numpy as np
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.grids import Picture
from callbacks.base.media import figure_to_image
from callbacks.base.trainers import datamodule_of
from callbacks.episodes.episode_video import Beside, EpisodeVideo
from callbacks.episodes.table_figures import table_figure
from callbacks.episodes.tables import grid_of, require_table, values_of

HEIGHT = 360
"""Pixels of a frame, at least: a table must be read."""


class TableVideo(EpisodeVideo):
    """Films as ``EpisodeVideo`` does, with the picture of ``TablePicture`` to the right, in which the state is marked.

    The film's name is ``episode_table``. Arguments are those of ``EpisodeVideo``.
    """

    film_name: ClassVar[str] = "episode_table"

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without a table, too."""
        super().setup(trainer, pl_module, stage)
        require_table(self, pl_module)

    @override
    def beside(self, trainer: Trainer, pl_module: LightningModule) -> Beside:
        cells = grid_of(datamodule_of(trainer))
        v, q = values_of(pl_module)

        @cache
        def table(state: int, height: int) -> Picture:
            return _scaled(figure_to_image(table_figure(cells, v, q, state)), height)

        def with_table(frame: Picture, observation: Any) -> Picture:
            height = max(HEIGHT, len(frame))
            return np.concatenate([_scaled(frame, height), table(int(observation), height)], axis=1)

        return with_table


def _scaled(picture: Picture, height: int) -> Picture:
    from PIL import Image

    size = round(picture.shape[1] * height / picture.shape[0]), height
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
