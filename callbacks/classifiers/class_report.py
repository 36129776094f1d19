"""Precision, recall and F1 of each class."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.media import run_folder, write_file
from callbacks.base.names import class_names, set_name
from callbacks.base.progress import position
from callbacks.base.tables import log_table
from callbacks.classifiers.predictions import PredictionPlottingCallback

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

COLUMNS = ("class", "precision", "recall", "f1", "support")
Row = tuple[str, float, float, float, int]


class ClassReport(PredictionPlottingCallback):
    """Writes precision, recall, F1 and the number of examples of each class, after each validation.

    Files: ``media/class_report.txt`` and ``.csv``, replaced each time; ``test_class_report`` of the test set.
    A logger that takes tables, such as W&B's, gets the table ``class_report``. Works with any
    classifier (``dlmodules.protocols.Classifies``). A ratio without examples to divide by is 0.

    Args:
        every_n_epochs: write after each that many epochs, and when the training ends.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        super().__init__(every_n_epochs)
        self._metrics: MetricCollection | None = None

    @override
    def begin(self, trainer: Trainer, pl_module: LightningModule) -> None:
        from torchmetrics import MetricCollection
        from torchmetrics.classification import (
            MulticlassF1Score,
            MulticlassPrecision,
            MulticlassRecall,
            MulticlassStatScores,
        )

        # They count the same, so torchmetrics lets them share one count.
        self._metrics = MetricCollection(
            {
                "precision": MulticlassPrecision(self.num_classes, average=None),
                "recall": MulticlassRecall(self.num_classes, average=None),
                "f1": MulticlassF1Score(self.num_classes, average=None),
                "counts": MulticlassStatScores(self.num_classes, average=None),
            }
        ).to(pl_module.device)

    @override
    def collect(self, x: Tensor, y: Tensor, probabilities: Tensor) -> None:
        assert self._metrics is not None
        self._metrics.update(probabilities.argmax(dim=1), y)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert self._metrics is not None
        found = {name: value.cpu() for name, value in self._metrics.compute().items()}
        if not trainer.is_global_zero:
            return
        ratios = [found[name].tolist() for name in ("precision", "recall", "f1")]
        support = found["counts"][:, 4].tolist()
        rows: list[Row] = list(zip(class_names(trainer, self.num_classes), *ratios, support, strict=True))
        right, seen = int(found["counts"][:, 0].sum()), sum(support)
        steps = position(trainer)
        when = f" after {steps} steps" if steps else ""  # `test` alone does not know how long the training was
        title = f"{set_name(trainer)}{when}: {right} of {seen} right ({right / seen:.2%})"
        folder, name = run_folder(trainer) / "media", self.prefix.replace("/", "_") + "class_report"
        text = report_text(rows, title)
        write_file(trainer, folder / f"{name}.txt", lambda path: path.write_text(text, encoding="utf-8"))
        write_file(trainer, folder / f"{name}.csv", lambda path: _write_csv(path, rows))
        log_table(trainer, f"{self.prefix}class_report", COLUMNS, rows)


def report_text(rows: Sequence[Row], title: str) -> str:
    """Lay out a report as plain text, the mean over the classes that have examples in the last line."""
    present = [row for row in rows if row[4] > 0] or rows
    means = tuple(sum(column) / len(present) for column in list(zip(*present, strict=True))[1:4])
    last: Row = ("mean over classes", *means, sum(row[4] for row in rows))
    width = max(len(row[0]) for row in (*rows, last))
    header = f"{'class':<{width}}  precision  recall      f1  support"
    *lines, end = [f"{n:<{width}}  {p:9.3f}  {r:6.3f}  {f:6.3f}  {s:7d}" for n, p, r, f, s in (*rows, last)]
    rule = "-" * len(header)
    return "\n".join([title, "", header, rule, *lines, rule, end, ""])


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((name, *(round(value, 6) for value in ratios), support) for name, *ratios, support in rows)
