"""When a callback draws, and how it leaves everything as it found it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, ClassVar

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from callbacks.base.evaluation import WatchesEvaluation
from callbacks.base.media import is_quiet, warn_once
from dlmodules.errors import UserError
from dlmodules.protocols import Decodes, Encodes

BATCH = 256
"""Images or codes that are given to a module at once."""


def averaging_callbacks(trainer: Trainer) -> list[Any]:
    """The trainer's callbacks that keep averaged weights."""
    return [callback for callback in getattr(trainer, "callbacks", []) if hasattr(callback, "averaged")]


@contextmanager
def averaged_weights(trainer: Trainer, pl_module: LightningModule) -> Iterator[None]:
    """Within, the module has the averaged weights of every callback that keeps some.

    Such a callback has ``averaged(pl_module)``, a context manager; ``GeneratorEMA`` is one.
    """
    with ExitStack() as stack:
        for callback in averaging_callbacks(trainer):
            stack.enter_context(callback.averaged(pl_module))
        yield


@contextmanager
def undisturbed(
    trainer: Trainer, pl_module: LightningModule, seed: int = 0, averaged: bool = True
) -> Iterator[torch.Generator]:
    """Ask a module for pictures between two training steps without a trace.

    Within, the module is in evaluation mode, has its averaged weights (or with ``averaged`` false those that are
    trained) and the trainer's precision, and no gradient is recorded. All random number generators start from
    ``seed``; afterwards they, and the mode of each submodule, are what they were.

    Yields:
        A generator on the module's device, seeded with ``seed``, to be given to ``sample``.
    """
    modes = [(module, module.training) for module in pl_module.modules()]
    weights = averaged_weights(trainer, pl_module) if averaged else nullcontext()
    with isolate_rng(), torch.no_grad(), weights:
        torch.manual_seed(seed)
        pl_module.eval()
        try:
            with trainer.precision_plugin.forward_context():
                yield torch.Generator(device=pl_module.device).manual_seed(seed)
        finally:
            for module, mode in modes:
                module.training = mode


def cycled_labels(pl_module: LightningModule, n: int, labels: Sequence[int] | None = None) -> Tensor | None:
    """The labels asked of ``sample``: ``labels`` over and over, ``(n,)`` int64 on the module's device.

    A conditional module (``conditional`` is true, ``num_classes`` says how many) is asked for every
    class in turn where ``labels`` is None; any other is then asked for nothing.

    Raises:
        UserError: if labels are asked of a module that takes none, or one lies outside its classes.
    """
    conditional = getattr(pl_module, "conditional", None)
    if labels is None:
        if not conditional:
            return None
        labels = range(int(getattr(pl_module, "num_classes", 0)))
    name = type(pl_module).__name__
    if conditional is False:
        raise UserError(f"{name} takes no labels: leave `labels` out")
    classes = getattr(pl_module, "num_classes", None)
    wrong = [label for label in labels if label < 0 or (classes is not None and label >= classes)]
    if wrong or not labels:
        last = "the last class" if classes is None else classes - 1
        raise UserError(f"label {wrong[0] if wrong else 'list is empty,'} for {name}: give labels from 0 to {last}")
    return torch.tensor(list(labels), device=pl_module.device).repeat(n // len(labels) + 1)[:n]


def conditions(pl_module: LightningModule, labels: Tensor | None) -> tuple[Tensor, ...]:
    """What ``encode``, ``decode`` and ``reconstruct`` of a conditional module take besides: the labels ``(B, ...)``.

    Of any other module nothing.

    Raises:
        UserError: if the module is conditional and there are no labels.
    """
    if not getattr(pl_module, "conditional", False):
        return ()
    if labels is None:
        raise UserError(f"{type(pl_module).__name__} is conditional: its images must have labels to be drawn")
    return (labels.to(pl_module.device),)


def codes_of(trainer: Trainer, pl_module: LightningModule, images: Tensor, labels: Tensor | None) -> Tensor:
    """The codes ``(B, ...)`` float32 of images on the module's device, encoded 256 at a time.

    A module that has ``encode`` is to be given, and to be asked within :func:`undisturbed`.
    """
    assert isinstance(pl_module, Encodes)
    given = zip(*(torch.split(part, BATCH) for part in (images, *conditions(pl_module, labels))), strict=True)
    convert = trainer.precision_plugin.convert_input
    return torch.cat([pl_module.encode(convert(part), *rest) for part, *rest in given]).float()


def images_of(trainer: Trainer, pl_module: LightningModule, codes: Tensor, labels: Tensor | None) -> Tensor:
    """The images ``(B, C, H, W)`` float32 of codes on the module's device, decoded 256 at a time.

    A module that has ``decode`` is to be given, and to be asked within :func:`undisturbed`.
    """
    assert isinstance(pl_module, Decodes)
    given = zip(*(torch.split(part, BATCH) for part in (codes, *conditions(pl_module, labels))), strict=True)
    convert = trainer.precision_plugin.convert_input
    return torch.cat([pl_module.decode(convert(part), *rest) for part, *rest in given]).float()


def repeated(labels: Tensor | None, times: int) -> Tensor | None:
    """Each label ``times`` times in a row, for that many images of one class."""
    return None if labels is None else labels.repeat_interleave(times, dim=0)


def images_and_labels(batch: Any) -> tuple[Tensor, Tensor | None]:
    """Split a batch into images ``(B, C, H, W)`` and, where there are any, labels.

    These are whole numbers: ``(B,)`` the class of each image, or ``(B, A)`` a number for each of A attributes.

    Raises:
        UserError: if the batch is neither images nor starts with them.
    """
    parts = batch if isinstance(batch, (tuple, list)) else [batch]
    images = parts[0] if parts else None
    if not isinstance(images, Tensor) or images.ndim != 4:
        raise UserError("a batch must be images (B, C, H, W), or a tuple that starts with them, to be drawn")
    labels = parts[1] if len(parts) > 1 else None
    is_labels = isinstance(labels, Tensor) and labels.ndim in (1, 2) and not labels.is_floating_point()
    return images, labels if is_labels else None


class PlottingCallback(Callback):
    """Base of the callbacks that draw: every n epochs or every n steps, and once more when the training ends.

    A child says in ``needs`` which methods its module must have, and overrides ``plot``. Every
    process calls ``plot``, since with sharded weights all of them must take part in a forward pass;
    only the first one writes.

    Args:
        every_n_epochs: draw after each that many epochs.
        every_n_steps: draw after each that many training steps instead.
    """

    needs: ClassVar[dict[str, type]] = {}
    name: str | None = None
    """What a child that several of may watch one training calls its pictures or numbers; None where it has no say."""

    def __init__(self, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        if every_n_epochs < 1 or (every_n_steps is not None and every_n_steps < 1):
            raise UserError(f"{type(self).__name__}: every_n_epochs and every_n_steps must be 1 or more")
        self.every_n_epochs = every_n_epochs
        self.every_n_steps = every_n_steps
        self._seen_step = 0
        self._plotted_step = -1

    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw now."""
        raise NotImplementedError

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that lacks what is asked of it, and a name that another callback of the class has."""
        every = trainer.callbacks  # type: ignore[attr-defined]  # set by the connector of callbacks
        alike = [callback for callback in every if type(callback) is type(self)]
        if self.name is not None and sum(callback.name == self.name for callback in alike) > 1:
            raise UserError(
                f"the trainer has two callbacks {type(self).__name__} with the name {self.name!r}:"
                " give each a name of its own"
            )
        for method, protocol in self.needs.items():
            if not isinstance(pl_module, protocol):
                raise UserError(
                    f"{type(self).__name__} needs a module with a method `{method}`;"
                    f" {type(pl_module).__name__} has none (see dlmodules.protocols)"
                )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count steps from where the training starts or goes on."""
        self._seen_step = trainer.global_step
        self._plotted_step = -1

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw every n steps."""
        if self.every_n_steps is None:
            return
        # A module may advance the global step by more than one, so look for a multiple passed.
        before, self._seen_step = self._seen_step, trainer.global_step
        if self._seen_step // self.every_n_steps > before // self.every_n_steps:
            self._plot_once(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw every n epochs."""
        if self.every_n_steps is None and (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._plot_once(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the trained module, unless that was just done."""
        self._plot_once(trainer, pl_module)

    def _plot_once(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if is_quiet(trainer) or self._plotted_step == trainer.global_step:
            return
        self._plotted_step = trainer.global_step
        self.plot(trainer, pl_module)


class ImagePlottingCallback(WatchesEvaluation, PlottingCallback):
    """Base of the callbacks that draw what a module makes of given images.

    They are the first ones of the validation set, caught as they pass by in the first validation,
    so no loader is read for them and they stay the same through the training. ``validate`` and
    ``test`` draw those of their own set.

    Args:
        num: how many images.
        every_n_epochs: draw after each that many epochs.
        every_n_steps: draw after each that many training steps instead.
    """

    def __init__(self, num: int, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if num < 1:
            raise UserError(f"{type(self).__name__} needs at least 1 image, not {num}")
        self.num = num
        self.prefix = ""
        self._images: list[Tensor] = []
        self._labels: list[Tensor | None] = []
        self._catching = False
        self._caught_for: TrainerFn | None = None

    def images(self, pl_module: LightningModule) -> tuple[Tensor, Tensor | None]:
        """The caught images, float32 on the module's device, and their labels where they have some."""
        images = [part.float() / 255 if part.dtype == torch.uint8 else part for part in self._images]
        labels = [part for part in self._labels if part is not None]
        complete = len(labels) == len(images)
        return torch.cat(images).to(pl_module.device), torch.cat(labels) if complete else None

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to catch images, if there are none yet."""
        self._start_catching(trainer)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to catch the test images."""
        self._start_catching(trainer)

    def on_evaluation_batch(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, dataloader_idx: int
    ) -> None:
        """Catch the images that pass by."""
        self._catch(batch, dataloader_idx)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw, if validation is all that was asked for."""
        self._stop_catching(trainer)
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._plot_once(trainer, pl_module)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the test images."""
        self._stop_catching(trainer)
        self._plot_once(trainer, pl_module)

    def _start_catching(self, trainer: Trainer) -> None:
        if is_quiet(trainer) or (trainer.state.fn == TrainerFn.FITTING and self._caught_for == TrainerFn.FITTING):
            return
        self._images, self._labels, self._plotted_step = [], [], -1
        self.prefix = "test/" if trainer.state.fn == TrainerFn.TESTING else ""
        self._catching = True

    def _catch(self, batch: Any, dataloader_idx: int) -> None:
        missing = self.num - sum(len(part) for part in self._images)
        if not self._catching or dataloader_idx != 0 or missing <= 0:
            return
        images, labels = images_and_labels(batch)
        self._images.append(compact(images[:missing].detach().cpu()))
        self._labels.append(None if labels is None else labels[:missing].cpu().clone())

    def _stop_catching(self, trainer: Trainer) -> None:
        if self._catching and self._images:
            self._caught_for = trainer.state.fn
        self._catching = False

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the trained module, or say why there is nothing to draw."""
        super().on_train_end(trainer, pl_module)
        if not self.ready() and not is_quiet(trainer):
            warn_once(self, f"{type(self).__name__} drew nothing: there was no validation to take images from.")

    def ready(self) -> bool:
        """Whether there is something to draw."""
        return bool(self._images)

    def _plot_once(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.ready():
            super()._plot_once(trainer, pl_module)


def compact(images: Tensor) -> Tensor:
    """Keep a copy of 8-bit images in 8 bits: a quarter of the memory, and nothing lost; of any others as they are."""
    small = (images * 255).round().clamp(0, 255).byte()
    return small if torch.allclose(small.to(images.dtype) / 255, images, rtol=0, atol=1e-6) else images.clone()
