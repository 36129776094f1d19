"""Vectors of words, trained to predict a word from those around it or those around it from the word."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import PAD, Batch, CountsWords
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.device_reads import may_read

LOWEST_RATE = 1e-4
"""The learning rate falls to this part of its first value, as in the authors' program."""


class Word2Vec(LightningModule):
    """Skip-gram or CBOW with negative sampling: 100 numbers for each of 10,000 words, and as many of the other layer.

    Batches are ``(centers, contexts)``: a word ``(B,)`` and the words around it ``(B, C)``, int64 token ids, 0 where a
    context has fewer. Skip-gram predicts each word of the context from the center, CBOW the center from the average of
    the vectors of its context. A pair of a vector and the word to predict is told from ``negatives`` pairs with words
    of a noise distribution: its loss is -log s(v·u) - sum of log s(-v·n), where s is the logistic function.

    The data module says how often each word occurs (``dlmodules.protocols.CountsWords``); the noise is drawn by the
    counts to the power of ``noise_power``. Without one all token ids but padding are equally probable.

    Paper: Mikolov et al. 2013, Efficient Estimation of Word Representations in Vector Space (arXiv:1301.3781); Mikolov
        et al. 2013, Distributed Representations of Words and Phrases and their Compositionality (arXiv:1310.4546).
    Books: vasilev 7.10, lab L9.

    Logged: ``train/loss``, ``val/loss`` and ``test/loss``, the loss of a pair with its noise, in nats: 4.16 for 5
    negatives before the training. Those of validation and test always draw the same noise.

    Args:
        architecture: ``skip_gram`` or ``cbow``.
        vocabulary_size: token ids, those of padding and unknown words included, 3 or more.
        embedding_dim: numbers of a vector.
        negatives: noise words of a pair, 1 or more.
        sharing: so many neighbouring centers share as many noise words, each of which counts for its part of
            ``negatives``; the gradient is the same on average, and a step several times faster. None draws words
            for each pair, as in the paper.
        noise_power: exponent of the counts in the noise distribution: 1 for the frequencies, 0 for equal ones.
        decay_epochs: epochs in which the learning rate falls in a straight line to a ten-thousandth; it stays there.
            None keeps it constant.
        optimizer: makes the optimizer, which must take sparse gradients. Losses are added up over the pairs of a batch,
            so that a learning rate means what it does in the authors' program, which updates after each pair.

    Raises:
        UserError: for an argument out of range, or data with more words than ``vocabulary_size`` holds.
    """

    best_metric = ("val/loss", "min")
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "vocabulary_size": 200,
        "embedding_dim": 16,
        "decay_epochs": None,
    }
    noise: Tensor

    def __init__(
        self,
        architecture: Literal["skip_gram", "cbow"] = "skip_gram",
        vocabulary_size: int = 10_000,
        embedding_dim: int = 100,
        negatives: int = 5,
        sharing: int | None = 16,
        noise_power: float = 0.75,
        decay_epochs: int | None = 5,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.025),
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        if architecture not in ("skip_gram", "cbow"):
            raise UserError(f"architecture is {architecture!r}; it must be skip_gram or cbow")
        check_at_least(3, vocabulary_size=vocabulary_size)
        check_at_least_one(embedding_dim=embedding_dim, negatives=negatives, sharing=sharing, decay_epochs=decay_epochs)
        check_at_least(0, noise_power=noise_power)
        self.architecture = architecture
        self.negatives = negatives
        self.sharing = sharing
        self.noise_power = noise_power
        self.decay_epochs = decay_epochs
        self.optimizer = optimizer
        self.words: list[str] = []
        """The words that the vectors are of, from the token id ``first_id`` on; none before the training."""
        self.first_id = 0
        self.input = nn.EmbeddingBag(vocabulary_size, embedding_dim, mode="mean", padding_idx=PAD, sparse=True)
        self.output = nn.Parameter(torch.zeros(vocabulary_size, embedding_dim))
        nn.init.uniform_(self.input.weight, -0.5 / embedding_dim, 0.5 / embedding_dim)
        self.register_buffer("noise", (torch.arange(vocabulary_size) != PAD).float())

    @override
    def setup(self, stage: str) -> None:
        """Take the words and the noise distribution of the data, unless they are known already."""
        self.input.sparse = self.trainer.world_size == 1  # between processes torch sends dense gradients alone
        data = self.trainer.datamodule  # type: ignore[attr-defined]  # set by a connector of the trainer
        if self.words or not isinstance(data, CountsWords):
            return
        self.set_words(data.words, data.word_counts, data.first_id)

    def set_words(self, words: Any, counts: Tensor, first_id: int) -> None:
        """Name the words from the token id ``first_id`` on, and draw the noise by their ``counts`` ``(V,)``."""
        end, size = first_id + len(words), len(self.noise)
        if end > size:
            raise UserError(
                f"the data have {end} token ids, but vocabulary_size={size}: set the same vocabulary_size for"
                f" {type(self).__name__} and the data"
            )
        self.words, self.first_id = list(words), first_id
        self.noise.zero_()
        self.noise[first_id:end] = counts.to(self.noise) ** self.noise_power

    def word_vectors(self) -> tuple[list[str], Tensor]:
        """Return the words, the most frequent first, and their vectors ``(V, D)``.

        Raises UserError where the module has not been trained on words.
        """
        if not self.words:
            raise UserError(f"{type(self).__name__} knows no words yet: fit it, or load a checkpoint")
        vectors = self.input.weight.detach()[self.first_id : self.first_id + len(self.words)]
        return self.words, vectors.float().cpu()

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors ``(B, D)`` of token ids ``(B,)``."""
        vectors: Tensor = self.input(x[:, None])
        return vectors

    def context_vectors(self, tokens: Tensor) -> Tensor:
        """Return the vectors ``(..., D)`` of token ids ``(...)`` as words to be predicted: the other layer's."""
        return F.embedding(tokens, self.output, sparse=self.input.sparse)

    def draw_noise(self, *shape: int, generator: torch.Generator | None = None) -> Tensor:
        """Return token ids of the noise distribution, int64 of that shape."""
        number = torch.Size(shape).numel()
        return torch.multinomial(self.noise, number, replacement=True, generator=generator).view(shape)

    def pairs(self, centers: Tensor, contexts: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors ``(B, D)`` and the token ids ``(B, T)`` to predict from each of them, 0 for none."""
        if self.architecture == "skip_gram":
            return self.input(centers[:, None]), contexts
        known = contexts != PAD
        counts = known.sum(1)
        # One after the other and without padding, words are averaged twice as fast as in rows of the same length.
        vectors = F.embedding_bag(
            contexts[known], self.input.weight, counts.cumsum(0) - counts, mode="mean", sparse=self.input.sparse
        )
        # A center without a context is not predicted: there is nothing to average.
        return vectors, torch.where(counts > 0, centers, PAD)[:, None]

    def loss(
        self, centers: Tensor, contexts: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch, added up over its pairs, and how many pairs it has."""
        vectors, targets = self.pairs(centers, contexts)
        known = targets != PAD
        logits = (vectors[:, None] * self.context_vectors(targets)).sum(2)
        noise = self.own_noise_loss if self.sharing is None else self.shared_noise_loss
        loss = noise(vectors, targets, generator) - (F.logsigmoid(logits) * known).sum()
        return loss, known.sum()

    def own_noise_loss(self, vectors: Tensor, targets: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the loss of noise words that are drawn for each pair of vectors ``(B, D)`` and targets ``(B, T)``."""
        noise = self.draw_noise(*targets.shape, self.negatives, generator=generator)
        logits = torch.einsum("bd,btkd->btk", vectors, self.context_vectors(noise))
        # A word is no noise beside itself: the authors' program drops it.
        counted = (targets != PAD)[:, :, None] & (noise != targets[:, :, None])
        return -(F.logsigmoid(-logits) * counted).sum()

    def shared_noise_loss(self, vectors: Tensor, targets: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the loss of noise words that ``sharing`` vectors share: of K words, each counts ``negatives`` / K."""
        assert self.sharing is not None
        size, per_group = len(vectors), self.sharing
        groups = max(1, -(-size // per_group))
        noise = self.draw_noise(groups, per_group, generator=generator)
        grouped = F.pad(vectors, (0, 0, 0, groups * per_group - size)).view(groups, per_group, -1)
        logits = torch.bmm(grouped, self.context_vectors(noise).transpose(1, 2)).view(-1, per_group)[:size]
        noise_of = noise.repeat_interleave(per_group, dim=0)[:size]
        counted = (targets != PAD).sum(1, keepdim=True).float()
        for target in targets.unbind(1):  # padding is never noise
            counted = counted - (noise_of == target[:, None]).float()
        return -(F.logsigmoid(-logits) * counted).sum() * (self.negatives / per_group)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss, pairs = self.loss(*self._checked(batch, batch_idx))
        log_losses(self, {"train/loss": loss / pairs.clamp(min=1)})
        return loss

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")

    def _evaluate(self, batch: Batch, batch_idx: int, stage: str) -> None:
        generator = torch.Generator(self.device).manual_seed(batch_idx)
        loss, pairs = self.loss(*self._checked(batch, batch_idx), generator=generator)
        pairs = pairs.clamp(min=1)
        self.log(f"{stage}/loss", loss / pairs, on_epoch=True, prog_bar=True, batch_size=int(pairs), sync_dist=True)

    def _checked(self, batch: Batch, batch_idx: int) -> Batch:
        """Return centers and contexts of a batch, or raise UserError where they are none."""
        name = type(self).__name__
        centers, contexts = inputs_and_targets(batch, name)
        if centers.dtype != torch.int64 or centers.ndim != 1 or contexts.dtype != torch.int64 or contexts.ndim != 2:
            raise UserError(
                f"{name} takes words (B,) and their contexts (B, C), int64, but the data give"
                f" {centers.dtype} {tuple(centers.shape)} and {contexts.dtype} {tuple(contexts.shape)}:"
                " choose another --data, such as WordContextsDataModule"
            )
        if may_read(contexts, first=batch_idx == 0) and len(centers):
            last, size = int(max(centers.max(), contexts.max())), len(self.noise)
            if last >= size or int(min(centers.min(), contexts.min())) < 0:
                raise UserError(f"{name}: a token id is outside 0..{size - 1}; set vocabulary_size to more")
        return centers, contexts

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the vectors ``(B, D)`` of the centers of a batch."""
        vectors: Tensor = self(inputs_of(batch))
        return vectors

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer(self.parameters())
        epochs = self.decay_epochs
        if epochs is None:
            return optimizer

        def factor(step: int) -> float:
            # By epochs, not by the budget of the run: one that is resumed with another budget goes on as it began.
            return max(LOWEST_RATE, 1 - step / (epochs * self.trainer.num_training_batches)) if step else 1.0

        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}}

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the words, as plain strings."""
        checkpoint["words"] = {"words": self.words, "first_id": self.first_id}

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        found = checkpoint.get("words", {})
        self.words, self.first_id = list(found.get("words", [])), int(found.get("first_id", 0))

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up words ``(n,)`` and contexts ``(n, 10)`` of other words, some of them short."""
        size = len(self.noise)
        centers = 1 + torch.arange(n) % (size - 1)
        contexts = 1 + (torch.arange(n)[:, None] + torch.arange(1, 11)) % (size - 1)
        contexts = torch.where(torch.arange(10) < 2 + torch.arange(n)[:, None] % 9, contexts, PAD)
        return centers.to(self.device), contexts.to(self.device)
