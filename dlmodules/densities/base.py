"""The base of the densities that are trained by counting."""

from math import inf

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.training.batches import inputs_of
from dlmodules.training.one_step import one_global_step, placeholder_optimizer


class Density(LightningModule):
    """Base of the densities whose maximum likelihood is a count of the training rows: no gradient, no loss.

    A training step counts its batch; the first of an epoch forgets the rows of the epoch before. One epoch is thus
    enough, and a later one does the same again. All that was counted is in buffers.

    A child implements ``rows``, ``forget``, ``count``, ``log_likelihood_of_rows``, ``train_log_likelihood`` and
    ``sample_rows``.

    Logged: ``train/log_likelihood`` of the rows that were counted; ``val/log_likelihood`` and
    ``test/log_likelihood``, minus infinity as soon as one row has probability 0; ``val/impossible`` and
    ``test/impossible``, the fraction of such rows; ``val/possible_log_likelihood`` and
    ``test/possible_log_likelihood``, the mean over the other rows. All are means over rows, in nats.

    Raises:
        UserError: more than one process, or a likelihood or sample requested before any row was counted.
    """

    best_metric = ("val/log_likelihood", "max")
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        self.automatic_optimization = False
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self._evaluated: list[Tensor] = []  # log-likelihoods of the current evaluation

    def rows(self, x: Tensor) -> Tensor:
        """Return inputs ``(B, ...)`` as the rows ``(B, D)`` that are counted, or raise UserError."""
        raise NotImplementedError

    def forget(self) -> None:
        """Take back all counts but ``seen``."""
        raise NotImplementedError

    def count(self, rows: Tensor) -> None:
        """Count rows ``(B, D)``."""
        raise NotImplementedError

    def log_likelihood_of_rows(self, rows: Tensor) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of rows ``(B, D)``."""
        raise NotImplementedError

    def train_log_likelihood(self) -> Tensor:
        """Return the mean log-likelihood ``()`` of the rows that were counted."""
        raise NotImplementedError

    def sample_rows(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Sample ``n`` rows ``(n, D)``."""
        raise NotImplementedError

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of inputs ``(B, ...)`` in nats; minus infinity where one is impossible.

        Raises:
            UserError: inputs of another kind, or no row was counted yet.
        """
        self.require_rows()
        return self.log_likelihood_of_rows(self.rows(x))

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of inputs ``(B, ...)``."""
        return self.log_likelihood(x)

    def require_rows(self) -> None:
        """Raise UserError where no training row was counted."""
        if self.seen == 0:
            raise UserError(f"{type(self).__name__} has counted no training rows: fit it, or load a checkpoint")

    @override
    def setup(self, stage: str) -> None:
        if self.trainer.world_size > 1:
            raise UserError(f"{type(self).__name__} counts all rows in one process: set --trainer.devices 1")

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> None:
        rows = self.rows(inputs_of(batch))
        with one_global_step(self):
            if batch_idx == 0:
                self.forget()
                self.seen.zero_()
            self.count(rows)
            self.seen += len(rows)

    @override
    def on_train_epoch_end(self) -> None:
        self.log("train/log_likelihood", self.train_log_likelihood(), prog_bar=True)

    @override
    def on_validation_epoch_start(self) -> None:
        self._evaluated.clear()

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        if self.trainer.sanity_checking and self.seen == 0:
            return  # nothing has been counted yet
        self._evaluated.append(self.log_likelihood(inputs_of(batch)))

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val")

    @override
    def on_test_epoch_start(self) -> None:
        self._evaluated.clear()

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluated.append(self.log_likelihood(inputs_of(batch)))

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test")

    def _log_evaluated(self, stage: str) -> None:
        if not self._evaluated:
            return
        found = torch.cat(self._evaluated)
        self._evaluated.clear()
        possible = found[found > -inf]
        metrics = {
            f"{stage}/log_likelihood": found.mean(),
            f"{stage}/impossible": (found == -inf).float().mean(),
            f"{stage}/possible_log_likelihood": possible.mean() if len(possible) else found.mean(),
        }
        self.log_dict(metrics, prog_bar=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of a batch."""
        return self.log_likelihood(inputs_of(batch))

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return placeholder_optimizer()

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up inputs ``(n, ...)`` such as ``rows`` takes, and labels, which nothing looks at."""
        raise NotImplementedError
