"""Analogies and ratings of words, by which the vectors of a module are judged."""

from collections.abc import Mapping
from typing import ClassVar

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from callbacks.base.media import run_folder, write_file
from callbacks.base.requirements import require
from callbacks.base.trainers import datamodule_of, is_quiet
from dlmodules.errors import UserError
from dlmodules.protocols import EmbedsWords, TestsWords
from dlmodules.sequences.analogies import SectionScore, correlate_ratings, score_analogies, total_accuracy
from dlmodules.validation.arguments import check_at_least_one


class WordTests(Callback):
    """Logs how many analogies are solved and how word pairs rank, after each validation and in the test.

    Logged, where the data module has questions or ratings (``dlmodules.protocols.TestsWords``): ``val/analogies``, the
    fraction in [0, 1] of the questions whose words are all known; ``val/word_similarity``, Spearman's correlation of
    cosines and ratings; ``test/...`` in the test. The scores of the sections are in ``media/analogies.txt``.

    Args:
        restrict: only so many of the most frequent words are asked about, and can be answers; None for all.
    """

    needs: ClassVar[tuple[type, ...]] = (EmbedsWords,)

    def __init__(self, restrict: int | None = 30_000) -> None:
        check_at_least_one(restrict=restrict)
        self.restrict = restrict

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without vectors of words, and data without questions about them."""
        require(self, pl_module, *self.needs)
        if not isinstance(datamodule_of(trainer), TestsWords):
            raise UserError("WordTests needs data with questions about words, such as WordContextsDataModule")

    @override
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not is_quiet(trainer):
            self._log(trainer, pl_module, "val")

    @override
    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer, pl_module, "test")

    def _log(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        data = datamodule_of(trainer)
        assert isinstance(data, TestsWords)
        assert isinstance(pl_module, EmbedsWords)
        words, vectors = pl_module.word_vectors()
        if questions := data.analogy_questions:
            scores = score_analogies(words, vectors, questions, self.restrict)
            pl_module.log(f"{stage}/analogies", total_accuracy(scores), prog_bar=True)
            if trainer.is_global_zero:
                name = "analogies.txt" if stage == "val" else "test_analogies.txt"
                text = report_text(scores)
                path = run_folder(trainer) / "media" / name
                write_file(trainer, path, lambda target: target.write_text(text, encoding="utf-8"))
        if pairs := data.rated_pairs:
            found = correlate_ratings(words, vectors, pairs, self.restrict)
            pl_module.log(f"{stage}/word_similarity", found.spearman, prog_bar=True)


def report_text(scores: Mapping[str, SectionScore]) -> str:
    """Lay out the scores of sections as plain text, that of all of them in the last line."""
    total = SectionScore(sum(score.correct for score in scores.values()), sum(score.asked for score in scores.values()))
    width = max(map(len, (*scores, "all sections")))
    lines = [
        f"{name:<{width}}  {score.correct:6d} of {score.asked:6d}  {score.correct / max(1, score.asked):6.1%}"
        for name, score in (*scores.items(), ("all sections", total))
    ]
    return "\n".join([*lines, ""])
