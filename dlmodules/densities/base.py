"""What the densities that learn by counting have in common."""

from collections.abc import Sequence
from math import inf

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.training.one_step import one_global_step, placeholder_optimizer


class Density(LightningModule):
    """Base of the densities whose maximum likelihood is a count of the training rows: no gradient, no loss.

    A training step counts its batch; the first of an epoch forgets the rows of the epoch before. One epoch is thus
    enough, and a later one does the same again. All that was counted is in buffers.

    A child implements ``rows``, ``forget``, ``count``, ``log_likelihood_of_rows``, ``train_log_likelihood`` and
    ``sample_rows``.

    Logged: ``train/log_likelihood`` of the rows that were counted; ``val/log_likelihood`` and
    ``test/log_likelihood``, minus infinity as soon as one row has probability 0; ``val/impossible`` and
    ``test/impossible``, the share of such rows; ``val/possible_log_likelihood`` and
    ``test/possible_log_likelihood``, the mean over the other rows. All are means over rows, in nats.

    Raises:
        UserError: more than one process, or a question before any row was counted.
    """

    best_metric = ("val/log_likelihood", "max")
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        self.automatic_optimization = False
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self._evaluated: list[Tensor] = []  # log-likelihoods of the evaluation that is going on

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
        """Draw ``n`` rows ``(n, D)``."""
        raise NotImplementedError

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of inputs ``(B, ...)`` in nats; minus infinity where one is impossible.

        Raises:
            UserError: inputs of another kind, or no row was counted yet.
        """
        self.require_rows()
        return self.log_likelihood_of_rows(self.rows(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of inputs ``(B, ...)``."""
        return self.log_likelihood(x)

    def require_rows(self) -> None:
        """Raise UserError where no training row was counted."""
        if self.seen == 0:
            raise UserError(f"{type(self).__name__} has counted no training rows: fit it, or load a checkpoint")

    def setup(self, stage: str) -> None:
        """Refuse to be trained in parts."""
        if self.trainer.world_size > 1:
            raise UserError(f"{type(self).__name__} counts all rows in one process: set --trainer.devices 1")

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the batch; the first of an epoch begins anew."""
        rows = self.rows(batch[0])
        with one_global_step(self):
            if batch_idx == 0:
                self.forget()
                self.seen.zero_()
            self.count(rows)
            self.seen += len(rows)

    def on_train_epoch_end(self) -> None:
        """Log the likelihood that is maximal."""
        self.log("train/log_likelihood", self.train_log_likelihood(), prog_bar=True)

    def on_validation_epoch_start(self) -> None:
        """Begin to measure."""
        self._evaluated.clear()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure held-out rows."""
        if self.trainer.sanity_checking and self.seen == 0:
            return  # nothing has been counted yet
        self._evaluated.append(self.log_likelihood(batch[0]))

    def on_validation_epoch_end(self) -> None:
        """Log the likelihood of all held-out rows."""
        self._log_evaluated("val")

    def on_test_epoch_start(self) -> None:
        """Begin to measure."""
        self._evaluated.clear()

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure test rows."""
        self._evaluated.append(self.log_likelihood(batch[0]))

    def on_test_epoch_end(self) -> None:
        """Log the likelihood of all test rows."""
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

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of a batch."""
        return self.log_likelihood(batch[0] if isinstance(batch, (tuple, list)) else batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return an optimizer of nothing: Lightning counts training steps by the steps of an optimizer."""
        return placeholder_optimizer()


def check_pseudocount(pseudocount: float) -> float:
    """Return ``pseudocount``, or raise the UserError that it is negative or infinite."""
    if not 0 <= pseudocount < inf:
        raise UserError(f"pseudocount is {pseudocount}; it must be 0 or more")
    return float(pseudocount)


def check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return ``sizes``, or raise the UserError that there is none or one of them is below 1."""
    if not sizes or min(sizes) < 1:
        raise UserError(
            f"sizes are {list(sizes)}; each column must have 1 category or more, and there must be a column"
        )
    return tuple(sizes)


def check_categories(x: Tensor, sizes: tuple[int, ...], owner: str) -> None:
    """Raise UserError unless ``x`` are rows ``(B, D)`` of integers, each in ``[0, size)`` of its column."""
    if x.is_floating_point() or x.ndim != 2:
        raise UserError(f"{owner} needs rows (B, D) of integer categories, not {x.dtype} {tuple(x.shape)}")
    if x.shape[1] != len(sizes):
        raise UserError(
            f"the rows have {x.shape[1]} columns but {owner} was built for {len(sizes)};"
            " give the number of categories of each column as --model.sizes"
        )
    wrong = (x < 0) | (x >= torch.tensor(sizes, device=x.device))
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        raise UserError(
            f"column {column} has the category {int(x[row, column])}, outside 0..{sizes[column] - 1};"
            " set --model.sizes or mend the rows"
        )
