"""``predict``: what a module predicts of the test set, written in the order of the data."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from typing_extensions import override

from callbacks.base.names import class_names
from dlmodules.errors import UserError
from dlmodules.protocols import Classifies
from dlmodules.validation.batches import fields_of, labels_in


class WritePredictions(pl.Callback):
    """Write what ``predict_step`` returns: a table ``predictions.csv`` of numbers, ``predictions.npz`` of arrays.

    The table has a row for each input, in the order of the data: ``index``; ``label`` where the batches have one
    number each; of a classifier ``predicted`` and the probability of each class under its name; of any other module
    its numbers, ``prediction`` or ``prediction_0`` and so on. Outputs with more axes, or several, are arrays in the
    other file.

    Args:
        output: a folder, which is made where it is missing, or a file that ends in .csv or .npz.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self._outputs: list[dict[str, Tensor]] = []
        self._labels: list[Tensor | None] = []

    @override
    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Raise UserError for several processes, each of which sees a part of the data."""
        if trainer.world_size > 1:
            raise UserError("predict keeps the order of the data in one process: set --trainer.devices 1")
        self._outputs, self._labels = [], []

    @override
    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._outputs.append(_named(outputs, type(pl_module).__name__))
        self._labels.append(_labels_of(batch))

    @override
    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the file and say where it is. Raises UserError where it cannot be written."""
        if not self._outputs:
            return
        arrays = {name: torch.cat([output[name] for output in self._outputs]) for name in self._outputs[0]}
        labels = None
        if all(label is not None for label in self._labels):
            labels = torch.cat([label for label in self._labels if label is not None])
        as_table = list(arrays) == ["prediction"] and arrays["prediction"].ndim <= 2
        path = self._path("csv" if as_table else "npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if as_table:
                _write_table(path, _columns(arrays["prediction"], labels, trainer, pl_module))
            else:
                kept = arrays if labels is None else {**arrays, "label": labels}
                found: dict[str, Any] = {name: value.numpy() for name, value in kept.items()}
                np.savez_compressed(path, **found)
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from error
        print(f"predictions of {len(next(iter(arrays.values())))} inputs: {path}")

    def _path(self, ending: str) -> Path:
        if self.output.suffix not in (".csv", ".npz"):
            return self.output / f"predictions.{ending}"
        if self.output.suffix != f".{ending}":
            raise UserError(f"--output is {self.output}; these predictions need a file that ends in .{ending}")
        return self.output


def _named(outputs: Any, owner: str) -> dict[str, Tensor]:
    found = outputs
    if isinstance(outputs, Tensor):
        found = {"prediction": outputs}
    elif isinstance(outputs, (tuple, list)):
        found = {f"prediction_{index}": value for index, value in enumerate(outputs)}
    if not (isinstance(found, dict) and found and all(isinstance(v, Tensor) and v.ndim for v in found.values())):
        raise UserError(
            f"predict_step of {owner} returns no tensors of a row for each input: there is nothing to write"
        )
    return {str(name): value.detach().cpu() for name, value in found.items()}


def _labels_of(batch: Any) -> Tensor | None:
    try:
        labels = labels_in(fields_of(batch))
    except UserError:  # the module takes batches of another form
        return None
    return labels.detach().cpu() if labels is not None and labels.ndim == 1 else None


def _columns(
    found: Tensor, labels: Tensor | None, trainer: pl.Trainer, pl_module: pl.LightningModule
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"index": list(range(len(found)))}
    if labels is not None and len(labels) == len(found):
        columns["label"] = labels.tolist()
    if found.ndim == 1:
        return {**columns, "prediction": found.tolist()}
    names = [f"prediction_{index}" for index in range(found.shape[1])]
    if isinstance(pl_module, Classifies) and found.shape[1] == pl_module.num_classes:
        columns["predicted"] = found.argmax(dim=1).tolist()
        names = [f"p_{name}" for name in class_names(trainer, len(names))]
    return {**columns, **{name: found[:, index].tolist() for index, name in enumerate(names)}}


def _write_table(path: Path, columns: dict[str, list[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
