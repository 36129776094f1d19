"""The n-gram language model: counts of the last tokens and the next one."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Batch, HasLanes
from dlmodules.text.language_model import LanguageModel
from dlmodules.text.ngram_counts import NONE, NGramTable, count_ngrams
from dlmodules.text.smoothing import Interpolation, Smoothing, kneser_ney, maximum_likelihood, witten_bell
from dlmodules.training.one_step import one_global_step, placeholder_optimizer
from dlmodules.validation.arguments import check_at_least_one, check_fractions


class NGram(LanguageModel):
    """Predict the next token from the ``order - 1`` tokens before it, by counting: no network, no gradient.

    ``none`` takes relative frequencies, as the book does, and falls back to a shorter context only where the context
    was never seen: a text with one new n-gram is impossible. ``witten_bell`` and ``kneser_ney`` mix all orders, down to
    the same probability for each token. A training step keeps its batch; all is counted at the end of an epoch, so one
    epoch is enough. The data must give windows that follow on each other (``sampling: lanes``); with ``batch_size: 1``
    no n-gram is cut.

    Paper: Shannon 1948, A Mathematical Theory of Communication; Kneser & Ney 1995, Improved Backing-off for M-gram
        Language Modeling; Chen & Goodman 1999, An Empirical Study of Smoothing Techniques for Language Modeling.
    Books: vasilev 7.8.

    Logged, besides what ``LanguageModel`` logs: ``train/ngrams``, how many different ones were counted.

    Args:
        order: tokens of the longest n-grams, the predicted one included: 1 for unigrams, 3 for trigrams.
        smoothing: ``kneser_ney``, ``witten_bell`` or ``none``.
        discount: what Kneser-Ney takes off a count, in [0, 1]; None estimates it, separately for counts of one, two
            and more.
        vocabulary_size: number of token ids, that of padding included.

    Raises:
        UserError: for a number out of range, random windows, more than one process, and a prediction before a training.
    """

    small_arguments: ClassVar[dict[str, Any]] = {"vocabulary_size": 100}
    seen: Tensor

    def __init__(
        self,
        order: int = 3,
        smoothing: Smoothing = "kneser_ney",
        discount: float | None = None,
        vocabulary_size: int = 256,
    ) -> None:
        check_at_least_one(order=order)
        check_fractions(discount=discount)
        if smoothing not in ("none", "witten_bell", "kneser_ney"):
            raise UserError(f"smoothing is {smoothing!r}; it must be kneser_ney, witten_bell or none")
        super().__init__(vocabulary_size)
        save_portable_hyperparameters(self)
        self.automatic_optimization = False
        self.order = order
        self.smoothing = smoothing
        self.discount = discount
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))  # tokens that were counted
        for n in range(1, order + 1):
            self.register_buffer(f"keys_{n}", torch.zeros(0, dtype=torch.int64))
            self.register_buffer(f"counts_{n}", torch.zeros(0, dtype=torch.int64))
        self._new: list[tuple[Tensor, Tensor]] = []  # batches of the epoch that is going on
        self._counted = 0  # of them
        self._tables: list[tuple[NGramTable, Interpolation]] = []
        self._read_behind: dict[str, Tensor] = {}  # the last tokens of each lane of an evaluation

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        if self.trainer.world_size > 1:
            raise UserError(f"{type(self).__name__} counts in one process: set --trainer.devices 1")
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, HasLanes) and not data.contiguous:
            raise UserError(f"{type(self).__name__} reads the text in its order: set --data.sampling lanes")

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the batch; the first of an epoch replaces those of the epoch before."""
        x, y = self.windows(batch)
        self.check_tokens(x, batch_idx == 0)
        with one_global_step(self):
            if batch_idx == 0:
                self._forget_batches()
            self._new.append((x.cpu(), y.cpu()))

    @override
    def on_train_epoch_end(self) -> None:
        self._count()
        self._forget_batches()
        self.log("train/ngrams", float(sum(len(table.keys) for table, _ in self.tables())), prog_bar=True)

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        if self.trainer.sanity_checking and self.seen == 0:
            return
        super().validation_step(batch, batch_idx)

    def count(self, lanes: Sequence[Tensor]) -> None:
        """Count the texts ``lanes``, each ``(N,)`` int64, in place of what was counted before.

        Raises:
            UserError: they are shorter than ``order``.
        """
        text = torch.cat(list(lanes))
        if len(text) < self.order:
            raise UserError(f"a text of {len(text)} tokens has no n-grams of order={self.order}: give a longer one")
        found = count_ngrams(text, self.order, self.vocabulary_size, self.smoothing == "kneser_ney")
        for n, (keys, counts) in enumerate(found, start=1):
            setattr(self, f"keys_{n}", keys)
            setattr(self, f"counts_{n}", counts)
        self.seen.fill_(len(text))
        self._tables.clear()

    def _count(self) -> None:
        """Count the batches of the epoch where some are new: each lane of them is one run of text."""
        if len(self._new) > self._counted:
            self._counted = len(self._new)
            x, y = torch.cat([x for x, _ in self._new], dim=1), self._new[-1][1]
            self.count([*torch.cat([x, y[:, -1:]], dim=1)])

    def _forget_batches(self) -> None:
        self._new.clear()
        self._counted = 0

    def tables(self) -> list[tuple[NGramTable, Interpolation]]:
        """Return the tables of one to ``order`` tokens with what each gives.

        Raises:
            UserError: nothing was counted yet.
        """
        self._count()
        if self.seen == 0:
            raise UserError(f"{type(self).__name__} has counted no text: fit it, or load a checkpoint")
        if not self._tables:
            contexts = 1
            for n in range(1, self.order + 1):
                keys, counts = getattr(self, f"keys_{n}").cpu(), getattr(self, f"counts_{n}").cpu()
                table = NGramTable(keys, counts, contexts, self.vocabulary_size)
                self._tables.append((table, self._interpolation(table)))
                contexts = len(keys)
        return self._tables

    def _interpolation(self, table: NGramTable) -> Interpolation:
        if self.smoothing == "kneser_ney":
            return kneser_ney(table, self.discount)
        return witten_bell(table) if self.smoothing == "witten_bell" else maximum_likelihood(table)

    def probabilities_of(self, tokens: Tensor) -> Tensor:
        """Return the probabilities ``(B, T)`` float64 of tokens ``(B, T)``, each given those before it in its row."""
        found = torch.full(tokens.shape, 1 / self.vocabulary_size, dtype=torch.float64)
        context = torch.zeros_like(tokens)  # the row of the context of each token, in the table of its length
        for table, given in self.tables():
            rows = table.rows(context, tokens)
            known = context != NONE
            share = given.share[context.clamp(min=0)]
            own = torch.where(rows != NONE, given.own[rows.clamp(min=0)], 0.0)
            found = torch.where(known, own + share * found, found)
            context = torch.cat([torch.full_like(rows[:, :1], NONE), rows[:, :-1]], dim=1)
        return found

    def distribution(self, history: Sequence[int]) -> Tensor:
        """Return the probabilities ``(V,)`` float64 of the token after ``history``, of which the last count."""
        found = torch.full((self.vocabulary_size,), 1 / self.vocabulary_size, dtype=torch.float64)
        tables = self.tables()
        for n, (table, given) in enumerate(tables, start=1):
            row = self._row(history[len(history) - n + 1 :]) if n - 1 <= len(history) else NONE
            if row == NONE:
                break
            start, end = int(table.first[row]), int(table.first[row + 1])
            found *= given.share[row]
            found.index_add_(0, table.tokens[start:end], given.own[start:end])
        return found

    def _row(self, tokens: Sequence[int]) -> int:
        """Return the row of an n-gram in the table of its length; 0 of none, ``NONE`` where it was never seen."""
        row = torch.zeros(1, dtype=torch.int64)
        for n, token in enumerate(tokens):
            row = self._tables[n][0].rows(row, torch.tensor([token]))
            if row[0] == NONE:
                return NONE
        return int(row[0])

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the log-probabilities ``(B, T, V)`` of the token after each of ``x`` ``(B, T)``."""
        rows = [[self.distribution(row[: end + 1]) for end in range(len(row))] for row in x.tolist()]
        return torch.stack([torch.stack(row) for row in rows]).log().float().to(x.device)

    @override
    def nats(self, x: Tensor, y: Tensor, stage: str, batch_idx: int) -> Tensor:
        """Return the negative log-likelihoods ``(B, T)``; in lanes with what the batch before ended in as context."""
        text = torch.cat([x, y[:, -1:].clamp(min=0)], dim=1).cpu()  # an ignored target is no token
        before = self._read_behind.get(stage) if batch_idx > 0 else None
        kept = 0 if before is None or len(before) != len(text) else before.shape[1]
        if kept and before is not None:
            text = torch.cat([before, text], dim=1)
        self._read_behind[stage] = text[:, -self.order : -1] if self.order > 1 else text[:, :0]
        return -self.probabilities_of(text)[:, kept + 1 :].log().float().to(x.device)

    @override
    def nats_of_sequence(self, tokens: Tensor) -> Tensor:
        return -self.probabilities_of(tokens.cpu())[:, 1:].log().to(tokens.device)

    @override
    def start(self, context: Tensor) -> Tensor:
        return context[:, max(0, context.shape[1] - self.order) :]

    @override
    def step(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        state = torch.cat([state, tokens[:, None]], dim=1)[:, max(0, state.shape[1] + 2 - self.order) :]
        logits = torch.stack([self.distribution(row) for row in state.tolist()]).log().float()
        return logits.to(tokens.device), state

    @override
    def select(self, state: Tensor, rows: Tensor) -> Tensor:
        return state.index_select(0, rows)

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return placeholder_optimizer()

    @override
    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        if sum(x.numel() for x, _ in self._new) >= self.order:  # inside an epoch it has what was read so far
            self._count()
        super()._save_to_state_dict(destination, prefix, keep_vars)

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        if self._new:  # inside an epoch
            checkpoint["text_so_far"] = [torch.stack(batch).int() for batch in self._new]

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self._forget_batches()
        self._new += [(batch[0].long(), batch[1].long()) for batch in checkpoint.get("text_so_far", [])]

    @override
    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # As many n-grams as were saved: without this only a state of the same number could be loaded.
        self._tables.clear()
        for name, _ in list(self.named_buffers(recurse=False)):
            if prefix + name in state_dict:
                setattr(self, name, torch.empty_like(state_dict[prefix + name], device=self.device))
        super()._load_from_state_dict(state_dict, prefix, *args)
