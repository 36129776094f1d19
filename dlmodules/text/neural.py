"""Language models that are networks, trained by gradient descent on the cross-entropy of the next token."""

from typing import Any, Protocol

from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.protocols import IGNORED, Batch
from dlmodules.text.language_model import LanguageModel
from dlmodules.training.parameter_groups import decayed_groups
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses


class ReadsOn(Protocol):
    """A network that goes on reading where it was."""

    def read(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the state behind them.

        The state None is that of a beginning.
        """

    def select(self, state: Any, rows: Tensor) -> Any:
        """Return the state of some ``rows`` ``(N,)``."""


class NeuralLanguageModel(NamesOwnNetworks, LanguageModel):
    """Base of the language models with a network, which is trained on all positions of a window at once.

    Logged, besides what ``LanguageModel`` logs: ``train/loss``, in nats a token.

    Args:
        network: maps token ids ``(B, T)`` to logits ``(B, T, vocabulary_size)``, and has ``read`` and ``select`` of
            ``ReadsOn``.
        vocabulary_size: number of token ids, that of padding included.
        optimizer: makes the optimizer; it gets the matrices and the other parameters as two groups, of which the
            second has no weight decay.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.
    """

    def __init__(
        self,
        network: nn.Module,
        vocabulary_size: int,
        optimizer: OptimizerCallable,
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__(vocabulary_size)
        save_portable_hyperparameters(self)
        self.network = network
        self.optimizer = optimizer
        self.scheduler = scheduler

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, T, V)`` of the token after each of ``x`` ``(B, T)``."""
        logits: Tensor = self.network(x)
        return logits

    def logits(self, x: Tensor, stage: str, batch_idx: int) -> Tensor:
        """Return the logits ``(B, T, V)`` of a batch; a child that carries a state over batches has it from here."""
        logits: Tensor = self(x)
        return logits

    @override
    def nats(self, x: Tensor, y: Tensor, stage: str, batch_idx: int) -> Tensor:
        return _nats(self.logits(x, stage, batch_idx), y)

    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits ``(B, T, V)`` and targets ``(B, T)`` that are not ignored."""
        return F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=IGNORED)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x, y = self.windows(batch)
        self.check_tokens(x, batch_idx == 0)
        loss = self.loss(self.logits(x, "train", batch_idx), y)
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(decayed_groups(self)), self.scheduler, "step")

    @override
    def start(self, context: Tensor) -> Any:
        if context.shape[1] == 0:
            return None
        return self._network().read(context, None)[1]

    @override
    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        logits, state = self._network().read(tokens[:, None], state)
        return logits[:, -1], state

    @override
    def select(self, state: Any, rows: Tensor) -> Any:
        return None if state is None else self._network().select(state, rows)

    @override
    def nats_of_sequence(self, tokens: Tensor) -> Tensor:
        return _nats(self._network().read(tokens[:, :-1], None)[0], tokens[:, 1:])

    def _network(self) -> ReadsOn:
        return self.network  # type: ignore[return-value]  # a network with its methods


def _nats(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropies ``(B, T)`` of logits ``(B, T, V)`` and targets ``(B, T)``."""
    nats = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none", ignore_index=IGNORED)
    return nats.view_as(targets)
