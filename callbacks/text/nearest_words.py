"""The nearest words of some words."""

from collections.abc import Sequence
from typing import ClassVar

from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.media import run_folder, warn_once, write_file
from callbacks.base.plotting import PlottingCallback
from callbacks.base.progress import steps_done
from callbacks.base.tables import log_table
from dlmodules.errors import UserError
from dlmodules.protocols import EmbedsWords
from dlmodules.sequences.analogies import nearest_words
from dlmodules.validation.arguments import check_at_least_one

Row = tuple[str, str, float]


class NearestWords(PlottingCallback):
    """Writes which words have the vectors nearest to those of chosen words, by their cosine.

    File: ``media/nearest_words.txt``, replaced each time. A logger that takes tables, such as W&B's, gets the table
    ``nearest_words``. Works with any module that embeds words (``dlmodules.protocols.EmbedsWords``).

    Args:
        words: whose neighbours are written; None for five of the frequent words. One that has no vector is left out,
            with a warning.
        n: neighbours of each.
        every_n_epochs: write after each that many epochs.
        every_n_steps: write after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (EmbedsWords,)

    def __init__(
        self,
        words: Sequence[str] | None = None,
        n: int = 10,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        check_at_least_one(n=n)
        self.words = None if words is None else list(words)
        self.n = n

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, EmbedsWords)
        known, vectors = pl_module.word_vectors()
        rows: list[Row] = []
        # The most frequent words, such as "the", are near to everything and say little.
        chosen = known[len(known) // 50 :: max(1, len(known) // 50)][:5] if self.words is None else self.words
        for word in chosen:
            try:
                rows += [(word, near, cosine) for near, cosine in nearest_words(known, vectors, word, self.n)]
            except UserError as error:
                warn_once(self, f"NearestWords: {error}.")
        text = neighbours_text(rows, steps_done(trainer))
        path = run_folder(trainer) / "media" / "nearest_words.txt"
        write_file(trainer, path, lambda target: target.write_text(text, encoding="utf-8"))
        log_table(trainer, "nearest_words", ("word", "nearest", "cosine"), rows)


def neighbours_text(rows: Sequence[Row], steps: int) -> str:
    """Lay out words, their neighbours and the cosines as plain text, a line for each word."""
    words = list(dict.fromkeys(word for word, _, _ in rows))
    width = max(map(len, words), default=0)
    lines = [
        f"{word:<{width}}  " + ", ".join(f"{near} {cosine:.2f}" for asked, near, cosine in rows if asked == word)
        for word in words
    ]
    return "\n".join([f"nearest words after {steps} steps", "", *lines, ""])
