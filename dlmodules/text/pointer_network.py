"""Pointer networks: the output is an order of the inputs."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanMetric
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.layers.memory_attention import Memory, MemoryAttention
from dlmodules.layers.recurrent import make_recurrent
from dlmodules.layers.sequence_encoder import SequenceEncoder
from dlmodules.protocols import IGNORED, AttentionMap, Batch
from dlmodules.training.finite import worst_where_no_number
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.batches import inputs_and_labels

Reader = Literal["recurrent", "elements"]
State = tuple[Tensor, Tensor]  # of an LSTM, each (1, B, H)


class PointerDecoder(nn.Module):
    """Embedded inputs, what reads them, and an LSTM whose state points at one of them after the other.

    Args:
        input_dim: numbers of an input.
        hidden_dim: units of the LSTMs, and size of an embedding.
        reader: ``recurrent``: an LSTM reads the inputs in their order (Vinyals et al. 2015); ``elements``: each input
            is read by itself, so that their order plays no part (Vinyals et al. 2016, Order Matters).
        glimpses: how often the decoder looks at all inputs before it points, each time with what it saw before.
        mask_chosen: let nothing be pointed at twice. To sort is then to score each input by its size alone.
    """

    def __init__(
        self,
        input_dim: int = 1,
        hidden_dim: int = 128,
        reader: Reader = "recurrent",
        glimpses: int = 1,
        mask_chosen: bool = False,
    ) -> None:
        check_at_least_one(input_dim=input_dim, hidden_dim=hidden_dim)
        check_at_least(0, glimpses=glimpses)
        if reader not in ("recurrent", "elements"):
            raise UserError(f"reader is {reader!r}; it must be recurrent or elements")
        super().__init__()
        self.input_dim, self.hidden_dim, self.reader = input_dim, hidden_dim, reader
        self.glimpses, self.mask_chosen = glimpses, mask_chosen
        self.embedding = nn.Sequential(nn.Linear(input_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, hidden_dim))
        self.encoder = (
            SequenceEncoder(hidden_dim, hidden_dim, cell="lstm", bidirectional=False) if reader == "recurrent" else None
        )
        self.start = nn.Parameter(torch.randn(hidden_dim) / hidden_dim**0.5)
        self.decoder = make_recurrent("lstm", hidden_dim, hidden_dim)
        self.glimpse = MemoryAttention(hidden_dim, hidden_dim)
        self.pointer = MemoryAttention(hidden_dim, hidden_dim)
        self.mix = nn.Linear(2 * hidden_dim, hidden_dim)
        for layer in (*self.embedding, self.mix):
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")

    def forward(self, x: Tensor, order: Tensor) -> Tensor:
        """Return the scores ``(B, N, N)`` of the inputs ``x`` ``(B, N, input_dim)``, where the true order is followed.

        Args:
            x: the inputs.
            order: ``(B, N)`` int64, the places that are pointed at; those behind a shorter sequence are -100.
        """
        return self.point(x, (order != IGNORED).sum(dim=1), order)[0]

    def point(self, x: Tensor, lengths: Tensor, order: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the scores ``(B, N, N)`` and the places ``(B, N)`` that are pointed at.

        Args:
            x: the inputs ``(B, N, input_dim)``.
            lengths: how many of them count, ``(B,)``.
            order: the places that are followed; None follows those that have the greatest scores.
        """
        embedded = self.embedding(x)
        inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        values = embedded
        hidden = x.new_zeros(1, len(x), self.hidden_dim)
        if self.encoder is not None:
            values, hidden = self.encoder(embedded, lengths)
        glimpsed, memory = self.glimpse.memory(values, inside), self.pointer.memory(values, inside)
        state: State = (hidden.contiguous(), torch.zeros_like(hidden))
        inputs = self.start.expand(len(x), 1, -1)
        chosen = torch.zeros_like(inside)
        scores, places = [], []
        for step in range(x.shape[1]):
            score, state = self._step(inputs, state, glimpsed, memory)
            if self.mask_chosen:
                # Behind a shorter sequence all are chosen: what is pointed at there is of no account.
                score = score.masked_fill(chosen & (step < lengths)[:, None], -torch.inf)
            place = score.argmax(dim=1) if order is None else order[:, step].clamp(min=0)
            scores.append(score)
            places.append(place)
            chosen = chosen.scatter(1, place[:, None], True)
            inputs = embedded.gather(1, place[:, None, None].expand(-1, 1, self.hidden_dim))
        return torch.stack(scores, dim=1), torch.stack(places, dim=1)

    def _step(self, inputs: Tensor, state: State, glimpsed: Memory, memory: Memory) -> tuple[Tensor, State]:
        output, state = self.decoder(inputs, state)
        for _ in range(self.glimpses):
            context, _ = self.glimpse(output, glimpsed)
            output = torch.tanh(self.mix(torch.cat([output, context], dim=2)))
        return self.pointer.scores(output, memory)[:, 0], state


class PointerNetwork(NamesOwnNetworks):
    """A network that points at its inputs, one after the other: it sorts numbers, or finds any other order of them.

    Batches are ``(x, y)``: inputs ``(B, N, input_dim)`` float32 and the order of their places ``(B, N)`` int64; behind
    a shorter sequence y is -100. As text an input is a number, or numbers with commas between them, and blanks part
    the inputs: ``0.5 0.77 0.09``, or ``0.1,0.4 0.3,0.8``.

    Logged: ``train/loss``, ``val/loss`` and ``test/loss``, the cross-entropy of a place in nats; ``val/exact`` and
    ``test/exact``, the part of the sequences whose whole order is found, each place following on those found before.

    Paper: Vinyals et al. 2015, Pointer Networks.
    Books: foster F6.9.

    Args:
        network: in place of the one that the next arguments describe, with the methods of ``PointerDecoder``.
        input_dim: numbers of an input.
        hidden_dim: units of the LSTMs, and size of an embedding.
        reader: ``recurrent``, or ``elements``, which reads each input by itself.
        glimpses: how often the decoder looks at all inputs before it points.
        mask_chosen: let nothing be pointed at twice.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range, and inputs of another size.
    """

    best_metric = ("val/exact", "max")
    small_arguments: ClassVar[dict[str, Any]] = {"hidden_dim": 32, "scheduler": None}

    def __init__(
        self,
        network: nn.Module | None = None,
        input_dim: int = 1,
        hidden_dim: int = 128,
        reader: Reader = "recurrent",
        glimpses: int = 1,
        mask_chosen: bool = False,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        self.network = network or PointerDecoder(input_dim, hidden_dim, reader, glimpses, mask_chosen)
        self.input_dim = input_dim
        self.optimizer, self.scheduler = optimizer, scheduler
        self.val_loss, self.test_loss = MeanMetric(), MeanMetric()
        self.val_exact, self.test_exact = MeanMetric(), MeanMetric()

    @override
    def forward(self, x: Tensor, order: Tensor) -> Tensor:
        """Return the scores ``(B, N, N)`` of inputs ``x`` at each place of ``order``, see ``PointerDecoder``."""
        scores: Tensor = self.network(x, order)
        return scores

    @torch.no_grad()
    def order_of(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the places ``(B, N)`` that are pointed at for ``x`` ``(B, N, input_dim)``; ``lengths`` None for N."""
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1], device=x.device)
        places: Tensor = self.network.point(x, lengths)[1]  # type: ignore[operator]  # a network with its methods
        return places

    def translate_texts(self, texts: Sequence[str], beam: int | None = None) -> list[str]:
        """Return each of ``texts``, inputs as text, in the order that is found.

        Args:
            texts: the inputs, as ``PointerNetwork`` reads them.
            beam: None or 1: it points at what has the greatest score.

        Raises:
            UserError: for a beam, and a text of other things than ``input_dim`` numbers an input.
        """
        if beam not in (None, 1):
            raise UserError(f"{type(self).__name__} points at what has the greatest score: leave the beam out")
        inputs = [self._inputs_of(text) for text in texts]
        orders = [self.order_of(x)[0].tolist() for _, x in inputs]
        return [" ".join(words[place] for place in order) for (words, _), order in zip(inputs, orders, strict=True)]

    @torch.no_grad()
    def attention_maps(self, text: str) -> AttentionMap:
        """Return how probably each input of ``text`` comes at each place, ``(N, N)``, and what it points at there.

        Raises:
            UserError: for a text of other things than ``input_dim`` numbers an input.
        """
        words, x = self._inputs_of(text)
        order = self.order_of(x)
        weights = self(x, order)[0].float().softmax(dim=1).cpu()
        return AttentionMap([words[place] for place in order[0].tolist()], words, {"pointer": weights})

    def _inputs_of(self, text: str) -> tuple[list[str], Tensor]:
        """Return the inputs of ``text`` as they are written, and as ``(1, N, input_dim)``."""
        words = text.split()
        try:
            rows = [[float(number) for number in word.split(",")] for word in words]
        except ValueError:
            rows = []
        if not rows or any(len(row) != self.input_dim or not all(map(math.isfinite, row)) for row in rows):
            example = " ".join(",".join(["0.5"] * self.input_dim) for _ in range(2))
            raise UserError(f"{type(self).__name__} reads numbers such as {example!r}, but the text is {text!r}")
        return words, torch.tensor([rows], device=self.device)

    def pair(self, batch: Any) -> Batch:
        """Return the inputs and the orders of a batch.

        Raises:
            UserError: it has none, or of another shape.
        """
        name = type(self).__name__
        lacking = f"{name} needs batches of inputs and labels, their order: choose another --data, such as"
        x, order = inputs_and_labels(batch, f"{lacking} SortingDataModule")
        if not x.is_floating_point() or x.ndim != 3 or x.shape[2] != self.input_dim or order.shape != x.shape[:2]:
            raise UserError(
                f"{name} takes inputs (B, N, {self.input_dim}) float32 and orders (B, N), but the data give {x.dtype}"
                f" {tuple(x.shape)} and {tuple(order.shape)}: choose another --data, such as SortingDataModule"
            )
        return x, order

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x, order = self.pair(batch)
        loss = F.cross_entropy(self(x, order).flatten(0, 1), order.flatten(), ignore_index=IGNORED)
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler, "step")

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, self.val_loss, self.val_exact)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, self.test_loss, self.test_exact)

    def _evaluate(self, batch: Batch, loss: MeanMetric, exact: MeanMetric) -> None:
        x, order = self.pair(batch)
        nats = F.cross_entropy(
            self(x, order).flatten(0, 1).float(), order.flatten(), reduction="none", ignore_index=IGNORED
        )
        inside = order != IGNORED
        loss.update(worst_where_no_number(nats[inside.flatten()]))
        found = self.order_of(x, inside.sum(dim=1))
        exact.update(((found == order) | ~inside).all(dim=1).float())

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val", self.val_loss, self.val_exact)

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test", self.test_loss, self.test_exact)

    def _log_evaluated(self, stage: str, loss: MeanMetric, exact: MeanMetric) -> None:
        if loss.update_count == 0:
            return
        self.log_dict({f"{stage}/loss": loss.compute(), f"{stage}/exact": exact.compute()}, prog_bar=True)
        loss.reset()
        exact.reset()

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the places ``(B, N)`` that are pointed at, -100 behind a shorter sequence."""
        x, order = self.pair(batch)
        return self.order_of(x, (order != IGNORED).sum(dim=1)).masked_fill(order == IGNORED, IGNORED)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up sequences of five inputs ``(n, 5, input_dim)`` and the order of their first numbers."""
        numbers = torch.rand(n, 5, self.input_dim, generator=torch.Generator().manual_seed(0))
        return numbers.to(self.device), numbers[:, :, 0].argsort(dim=1).to(self.device)
