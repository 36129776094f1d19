"""An alarm for mode collapse: a generator that generates the same image from any noise."""

from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from typing_extensions import override

from callbacks.base.batches import as_float, images_and_labels
from callbacks.base.conditions import cycled_labels
from callbacks.base.inference import undisturbed
from callbacks.base.plotting import PlottingCallback
from callbacks.base.progress import logged_step, position
from callbacks.base.trainers import is_quiet
from dlmodules.errors import UserError
from dlmodules.protocols import SamplesImages


class CollapseAlarm(PlottingCallback):
    """Measures how different samples are from each other, and warns once when they have become alike.

    Logs ``collapse/distance``: the mean Euclidean distance between two samples, divided by that between two of the
    first training images. It is near 1 for samples as varied as the data, 0 for a single image, and 1/2 for two
    images that are equally frequent. The generator uses its trained weights, not an average of them. Works with
    any module that samples images. A conditional module samples every class in turn; give one class to detect a
    collapse within it.

    Args:
        every_n_steps: measure after each that many training steps, and when the training ends.
        threshold: warn below this ``collapse/distance``, in [0, 1].
        first_step: give no alarm before this training step: an untrained generator's samples are nearly the same.
        num: how many samples, and how many training images; 2 or more.
        labels: the classes of the samples, repeated in turn. For a conditional module.
        stop: end the training too when the alarm is given; its last checkpoint is written as at any end.
        seed: seed of the noise. No other random numbers are affected.
        name: of what is logged, before ``/distance``. A second alarm in a training, for other labels, needs another.
    """

    needs: ClassVar[tuple[type, ...]] = (SamplesImages,)

    def __init__(
        self,
        every_n_steps: int = 500,
        threshold: float = 0.3,
        first_step: int = 1000,
        num: int = 64,
        labels: list[int] | None = None,
        stop: bool = False,
        seed: int = 0,
        name: str = "collapse",
    ) -> None:
        super().__init__(every_n_steps=every_n_steps)
        if num < 2 or not 0 <= threshold <= 1 or first_step < 0:
            raise UserError("CollapseAlarm: num must be 2 or more, threshold in [0, 1], and first_step not negative")
        self.threshold = threshold
        self.first_step = first_step
        self.num = num
        self.labels = labels
        self.stop = stop
        self.seed = seed
        self.name: str = name
        self._given = False
        self._real: list[Tensor] = []
        self._real_distance: float | None = None

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that cannot sample, or not these labels."""
        super().setup(trainer, pl_module, stage)
        cycled_labels(pl_module, self.num, self.labels)
        self._given, self._real, self._real_distance = False, [], None

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the first training images; measure every n steps."""
        missing = self.num - sum(len(part) for part in self._real)
        if self._real_distance is None and not is_quiet(trainer):
            images, _ = images_and_labels(batch)
            self._real.append(as_float(images[:missing].detach().cpu()).float())
            if len(images) >= missing:
                self._real_distance = self._distance_of_real()
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log now, and warn if it is time."""
        if self._real_distance is None and self._real:
            self._real_distance = self._distance_of_real()  # fewer images than were asked for
        if not self._real_distance:  # no images, or all of them alike
            return
        with undisturbed(trainer, pl_module, self.seed, averaged=False) as generator:
            labels = cycled_labels(pl_module, self.num, self.labels)
            assert isinstance(pl_module, SamplesImages)
            samples = pl_module.sample(self.num, labels=labels, generator=generator)
        # Their weights are the same, but each process has seen other images: all must come to the same end.
        ratio = mean_distance(samples) / self._real_distance
        distance = float(trainer.strategy.reduce(ratio, reduce_op="mean"))
        for logger in trainer.loggers:
            logger.log_metrics({f"{self.name}/distance": distance}, step=logged_step(trainer))
        # `not >=`, so that samples which are no numbers are an alarm too.
        if not self._given and position(trainer) >= self.first_step and not distance >= self.threshold:
            self._given = True
            if self.stop:
                trainer.should_stop = True
            rank_zero_warn(self._line(trainer, distance))

    def _line(self, trainer: Trainer, distance: float) -> str:
        end = "the training ends here" if self.stop else "look at the samples"
        return (
            f"the generator may have collapsed: at step {position(trainer)} the samples differ {distance:.2f} times as"
            f" much as real images do (alarm below {self.threshold:g}); {end}."
        )

    def _distance_of_real(self) -> float | None:
        images = torch.cat(self._real)
        self._real = []
        return float(mean_distance(images)) if len(images) > 1 else None

    @property
    @override
    def state_key(self) -> str:
        """The name of its state in a checkpoint, one for each choice of classes and name."""
        return self._generate_state_key(num=self.num, labels=self.labels, seed=self.seed, name=self.name)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"real_distance": self._real_distance, "given": self._given}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._real_distance, self._given = state_dict["real_distance"], state_dict["given"]


def mean_distance(images: Tensor) -> Tensor:
    """Return the mean Euclidean distance ``()`` between two different ones of ``images`` ``(N, ...)``, N 2 or more."""
    return torch.pdist(images.detach().float().flatten(1)).mean()
