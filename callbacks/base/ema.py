"""An exponential moving average of weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.strategies import FSDPStrategy, ModelParallelStrategy
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from typing_extensions import override

from dlmodules.errors import UserError

STATE_KEY = "GeneratorEMA"
"""With what the names of all averages in checkpoints begin."""


class EMA(Callback):
    """Keeps an average of the weights of some submodules, and uses it wherever the module is not trained.

    An agent acts by it in evaluation, and collects what it learns from by the weights themselves: a policy that is lost
    in some updates and found again in others is so steadier at the end (Polyak and Juditsky 1992).

    After each training step ``average = d * average + (1 - d) * weight``. Only parameters are
    averaged; buffers, such as the statistics of a batch norm, are always the present ones. The
    average stands in the module during validation, test and prediction, and for callbacks that
    plot or measure; the training, and every checkpoint's ``state_dict``, have the weights
    themselves. The average is saved with the callback's state.

    Args:
        decay: ``d``, the fraction of the average that is kept at an update, in [0, 1).
        modules: names of the submodules to average, ``a.b`` for one inside another.
        every_n_steps: update after each that many steps that changed the weights.
        warmup: at update ``t`` (from 0) use ``min(d, (1 + t) / (10 + t))``, so that the random first
            weights are forgotten early.
    """

    def __init__(
        self,
        decay: float = 0.999,
        modules: Sequence[str] = ("network",),
        every_n_steps: int = 1,
        warmup: bool = True,
    ) -> None:
        if not 0 <= decay < 1:
            raise UserError(f"{type(self).__name__}: decay must be at least 0 and below 1, not {decay}")
        if every_n_steps < 1:
            raise UserError(f"{type(self).__name__}: every_n_steps must be 1 or more, not {every_n_steps}")
        self.decay = decay
        self.modules = (modules,) if isinstance(modules, str) else tuple(modules)
        self.every_n_steps = every_n_steps
        self.warmup = warmup
        self.average: dict[str, Tensor] = {}
        self._raw: dict[str, Tensor] | None = None
        self._steps = 0
        self._updates = 0
        self._seen_step = 0

    @property
    @override
    def state_key(self) -> str:
        """The name of its state in a checkpoint, one for each choice of submodules."""
        return f"{STATE_KEY}{list(self.modules)}"

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if isinstance(trainer.strategy, (FSDPStrategy, ModelParallelStrategy)):
            raise UserError(
                f"{type(self).__name__} averages whole weights: use the strategy ddp, not one that shards them"
            )
        self._weights(pl_module)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start from the present weights, or go on from a loaded average."""
        self._seen_step = trainer.global_step
        weights = self._weights(pl_module)
        saved = self.average or weights
        _require_same_shapes(saved, weights)
        # Half a precision is too coarse for an average: its updates would round to nothing.
        self.average = {
            name: torch.empty_like(
                weight, dtype=torch.promote_types(weight.dtype, torch.float32), requires_grad=False
            ).copy_(saved[name].detach())
            for name, weight in weights.items()
        }

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Update the average, if the step changed the weights."""
        if trainer.global_step == self._seen_step:  # gradients are still being accumulated
            return
        self._seen_step = trainer.global_step
        self._steps += 1
        if self._steps % self.every_n_steps:
            return
        ramp = (1 + self._updates) / (10 + self._updates)
        make_update: Callable[[float], Callable[..., None]] = get_ema_multi_avg_fn
        update = make_update(min(self.decay, ramp) if self.warmup else self.decay)
        weights = [weight.detach().to(self.average[name].dtype) for name, weight in self._weights(pl_module).items()]
        update(list(self.average.values()), weights, self._updates)
        self._updates += 1

    @contextmanager
    def averaged(self, pl_module: LightningModule) -> Iterator[None]:
        """Within, the module has the averaged weights, if there are any yet."""
        if self._raw is not None or not self.average:
            yield
            return
        self._swap_in(pl_module)
        try:
            yield
        finally:
            self._swap_out(pl_module)

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap_in(pl_module)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on with the weights. Checkpoint callbacks come last, so they save these."""
        self._swap_out(pl_module)

    @override
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap_in(pl_module)

    @override
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap_out(pl_module)

    @override
    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap_in(pl_module)

    @override
    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap_out(pl_module)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Put the weights back before a checkpoint is written on the way out."""
        self._swap_out(pl_module)

    @override
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Save the weights themselves even in the middle of a validation."""
        if self._raw is not None:
            checkpoint["state_dict"].update(self._raw)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average, "steps": self._steps, "updates": self._updates} if self.average else {}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.average = dict(state_dict["average"])
        self._steps, self._updates = state_dict["steps"], state_dict["updates"]

    @staticmethod
    def load_averaged(pl_module: LightningModule, checkpoint: dict[str, Any]) -> bool:
        """Copy the averaged weights of a loaded checkpoint into a module, for good.

        Args:
            pl_module: a module of the checkpoint's class, with its weights loaded.
            checkpoint: what ``torch.load(path, weights_only=True)`` returned.

        Returns:
            Whether the checkpoint holds an average.

        Raises:
            UserError: if the average does not fit the module.
        """
        states = checkpoint.get("callbacks", {})
        found = [state for key, state in states.items() if str(key).startswith(STATE_KEY)]
        weights = dict(pl_module.named_parameters())
        for state in found:
            average = state["average"]
            _require_same_shapes(average, {name: weights[name] for name in average if name in weights})
            _copy(average, weights)
        return bool(found)

    def _weights(self, pl_module: LightningModule) -> dict[str, nn.Parameter]:
        weights: dict[str, nn.Parameter] = {}
        for name in self.modules:
            try:
                submodule = pl_module.get_submodule(name)
            except AttributeError:
                known = ", ".join(child for child, _ in pl_module.named_children())
                raise UserError(
                    f"{type(self).__name__}: {type(pl_module).__name__} has no submodule {name!r}; it has: {known}"
                ) from None
            weights.update({f"{name}.{key}": weight for key, weight in submodule.named_parameters()})
        return weights

    def _swap_in(self, pl_module: LightningModule) -> None:
        if self._raw is None and self.average:
            weights = self._weights(pl_module)
            _require_same_shapes(self.average, weights)
            self._raw = {name: weight.detach().clone() for name, weight in weights.items()}
            _copy(self.average, weights)

    def _swap_out(self, pl_module: LightningModule) -> None:
        if self._raw is not None:
            _copy(self._raw, self._weights(pl_module))
            self._raw = None


def _require_same_shapes(average: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    if {name: tensor.shape for name, tensor in average.items()} != {n: w.shape for n, w in weights.items()}:
        raise UserError("the saved average of the weights has other names or sizes than this module's weights")


def _copy(values: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            weights[name].copy_(value)
