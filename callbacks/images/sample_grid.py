"""A grid of samples from any generative module."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.conditions import cycled_labels
from callbacks.base.grids import Picture, image_grid
from callbacks.base.inference import undisturbed
from callbacks.base.media import run_folder, save_image, save_video
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import is_quiet
from dlmodules.errors import UserError
from dlmodules.protocols import SamplesImages

MAX_FRAMES = 60


class SampleGrid(PlottingCallback):
    """Plots samples from the same noise each time, so that the grids of a run can be compared.

    Works with any module that samples images. A conditional module samples every class in turn, one
    class per column. Picture: ``samples``. When the training ends, its grids become a film, ``samples_film``.
    A second one in a training needs another ``name`` than that.

    Args:
        num: how many samples.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
        labels: the classes of the samples, repeated in turn; one per column. For a conditional module.
        seed: seed of the noise. It is the same each time; no other random numbers are affected.
        film_fps: grids a second in the film, of which there are at most 60 of the training; 0 makes no film.
        name: of the picture, and of the film before ``_film``.
    """

    needs: ClassVar[tuple[type, ...]] = (SamplesImages,)

    def __init__(
        self,
        num: int = 64,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        labels: list[int] | None = None,
        seed: int = 0,
        film_fps: float = 5.0,
        name: str = "samples",
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if num < 1:
            raise UserError(f"SampleGrid needs at least 1 sample, not {num}")
        if film_fps < 0:
            raise UserError(f"SampleGrid: film_fps must be 0 or more, not {film_fps}")
        self.num = num
        self.labels = labels
        self.seed = seed
        self.film_fps = film_fps
        self.name: str = name
        self._grids: list[str] = []

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that cannot sample, or not these labels."""
        super().setup(trainer, pl_module, stage)
        cycled_labels(pl_module, self.num, self.labels)
        self._grids = []

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        with undisturbed(trainer, pl_module, self.seed) as generator:
            labels = cycled_labels(pl_module, self.num, self.labels)
            assert isinstance(pl_module, SamplesImages)
            samples = pl_module.sample(self.num, labels=labels, generator=generator)
        columns = None if labels is None else len(set(labels.tolist()))
        grid = image_grid(samples, columns)
        path = save_image(trainer, self.name, grid, caption=f"epoch {trainer.current_epoch}")
        if path is not None:
            self._grids.append(path.name)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot the trained module, and make the film."""
        super().on_train_end(trainer, pl_module)
        if self.film_fps > 0 and trainer.is_global_zero and not is_quiet(trainer):
            frames = film_frames(run_folder(trainer) / "media", self._grids)
            if len(frames) > 1:
                save_video(trainer, f"{self.name}_film", frames, self.film_fps, numbered=False)

    @property
    @override
    def state_key(self) -> str:
        """The name of its state in a checkpoint, one for each choice of arguments."""
        return self._generate_state_key(
            num=self.num,
            every_n_epochs=self.every_n_epochs,
            every_n_steps=self.every_n_steps,
            labels=self.labels,
            seed=self.seed,
            name=self.name,
        )

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"grids": list(self._grids)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._grids = list(state_dict["grids"])


def film_frames(folder: Path, names: list[str], most: int = MAX_FRAMES) -> list[Picture]:
    """Read the pictures that still are in ``folder`` and as large as the last: ``(H, W, 3)``, at most ``most``.

    Of more, equally many are left out between any two; the first and the last stay.
    """
    from PIL import Image

    there = [name for name in names if (folder / name).is_file()]
    if len(there) > most:
        there = [there[index] for index in np.linspace(0, len(there) - 1, most).round().astype(int)]
    frames = []
    for name in there:
        with Image.open(folder / name) as picture:
            frames.append(np.asarray(picture.convert("RGB"), dtype=np.uint8))
    return [frame for frame in frames if frame.shape == frames[-1].shape]
