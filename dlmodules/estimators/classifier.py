"""Scikit-learn's estimators with the data, the commands and the metrics of the networks."""

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.estimators.builders import estimator_settings, make_estimator
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.sampling.labels import one_hot
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.one_step import one_global_step, placeholder_optimizer
from dlmodules.validation.arguments import check_at_least
from dlmodules.validation.labels import check_labels


class EstimatorClassifier(LightningModule):
    """Any classifier or clustering of scikit-learn as a module: a baseline on the same data by the same metrics.

    Paper: Pedregosa et al. 2011, Scikit-learn: Machine learning in Python, JMLR 12.
    Books: vasilev 1.3, vasilev 1.4, vasilev 1.5, vasilev 1.6, vasilev 1.7, vasilev 1.8.

    A training step keeps its batch; the estimator is fitted on the rows of the epoch when it is next asked
    to predict, at the epoch's end at the latest. One epoch is thus enough, and a later one does the same again.
    Clusters get the label that most of their training rows have.

    The state is the training rows and the random state, as tensors. A module that is loaded from a checkpoint
    fits its estimator on them again.

    Logged: ``train/accuracy`` (of the rows that it was fitted on), ``val/accuracy``, ``test/accuracy``.

    Args:
        estimator: import path of a class of scikit-learn, such as ``sklearn.svm.SVC``, or ``class_path`` with
            ``init_args``, in which estimators may be nested; or, in Python, a live estimator, whose settings
            are taken.
        num_classes: number of classes, 2 or more; labels are ``(B,)`` int64 in ``[0, num_classes)``.

    Raises:
        UserError: unknown class or setting, an estimator that cannot predict classes or clusters, rows that it
            refuses, or more than one process.
    """

    best_metric = ("val/accuracy", "max")
    random_state: Tensor
    train_x: Tensor
    train_y: Tensor

    def __init__(
        self,
        # A bare dict: in a dict[str, Any] jsonargparse makes whatever class_path it finds, of a checkpoint too.
        estimator: str | dict = "sklearn.svm.SVC",  # type: ignore[type-arg]  # see above
        num_classes: int = 3,
    ) -> None:
        check_at_least(2, num_classes=num_classes)
        estimator = estimator_settings(estimator)
        super().__init__()
        save_portable_hyperparameters(self)
        self.automatic_optimization = False
        self.settings = estimator
        self.num_classes = num_classes
        # From torch's generator, so that the seed of the run decides; kept, so that a refit does the same.
        self.register_buffer("random_state", torch.randint(2**31 - 1, (1,)))
        self.register_buffer("train_x", torch.zeros(0, 0))
        self.register_buffer("train_y", torch.zeros(0, dtype=torch.int64))
        self._new: list[Batch] = []  # batches that are not yet part of the two tensors
        self._fitted: Any = None
        self._label_of_group: dict[int, int] | None = None  # for an estimator that is fitted without labels
        make_estimator(self.settings, 0)  # a wrong name or setting is reported now, before any data is read
        self.val_accuracy = MulticlassAccuracy(num_classes, average="micro")
        self.test_accuracy = MulticlassAccuracy(num_classes, average="micro")

    @override
    def setup(self, stage: str) -> None:
        if self.trainer.world_size > 1:
            raise UserError(f"{type(self).__name__} fits all rows in one process: set --trainer.devices 1")

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the class probabilities ``(B, num_classes)`` of inputs ``(B, ...)``, which are flattened.

        An estimator that has none gives 1 to the class that it predicts and 0 to the others.
        """
        fitted, rows = self.fitted(), self._fitting(x)
        if self._label_of_group is not None or not hasattr(fitted, "predict_proba"):
            return one_hot(self.classify(x), self.num_classes, x.dtype)
        found = torch.zeros(len(x), self.num_classes, dtype=x.dtype)
        found[:, torch.as_tensor(fitted.classes_)] = torch.as_tensor(fitted.predict_proba(rows), dtype=x.dtype)
        return found.to(x.device)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return what ``forward`` gives, which are probabilities already."""
        return logits

    def classify(self, x: Tensor) -> Tensor:
        """Return the class indices ``(B,)`` int64 of inputs ``(B, ...)``."""
        predicted = self.fitted().predict(self._fitting(x)).tolist()
        if self._label_of_group is not None:
            most_frequent = int(self.train_y.mode().values)  # for a group without training rows
            predicted = [self._label_of_group.get(group, most_frequent) for group in predicted]
        return torch.tensor(predicted, dtype=torch.int64, device=x.device)

    def fitted(self) -> Any:
        """Return the estimator, fitted on the training rows.

        Raises:
            UserError: there are no training rows yet, or the estimator refuses them.
        """
        self._gather()
        if len(self.train_y) == 0:
            raise UserError(f"{type(self).__name__} has seen no training rows: fit it, or load a checkpoint")
        if self._fitted is None:
            self._fitted = self._fit()
        return self._fitted

    def _fitting(self, x: Tensor) -> Any:
        if x.shape[1:] != self.train_x.shape[1:]:
            found, known = list(x.shape[1:]), list(self.train_x.shape[1:])
            raise UserError(f"the inputs are {found} but {type(self).__name__} was fitted on {known}")
        return _rows(x)

    def _fit(self) -> Any:
        from sklearn.base import is_classifier

        estimator = make_estimator(self.settings, int(self.random_state))
        x, y = _rows(self.train_x), self.train_y.cpu().numpy()
        supervised = is_classifier(estimator)
        try:
            estimator.fit(x, y) if supervised else estimator.fit(x)
        except (ValueError, TypeError) as error:  # what scikit-learn raises for settings and rows that it cannot use
            reason = str(error).strip().splitlines()[0]
            raise UserError(f"{type(estimator).__name__} cannot be fitted on {len(x)} rows: {reason}") from error
        self._label_of_group = None if supervised else _majorities(estimator.predict(x).tolist(), y.tolist())
        return estimator

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the batch; the first of an epoch replaces the rows of the epoch before."""
        x, y = inputs_and_targets(batch, type(self).__name__)
        check_labels(y, len(x), self.num_classes, type(self).__name__)
        with one_global_step(self):
            if batch_idx == 0:
                self.train_x, self.train_y = x.new_zeros(0, *x.shape[1:]), y.new_zeros(0)
                self._new.clear()
            self._new.append((x, y))
            self._fitted = None

    def _gather(self) -> None:
        """Move the batches that are new into the two tensors, all at once."""
        if self._new:
            x, y = zip(*self._new, strict=True)
            self.train_x, self.train_y = torch.cat([self.train_x, *x]), torch.cat([self.train_y, *y])
            self._new.clear()

    @override
    def on_train_epoch_end(self) -> None:
        self.fitted()  # where no validation has asked for it before
        right = self.classify(self.train_x) == self.train_y
        self.log("train/accuracy", right.float().mean(), prog_bar=True)

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Log the accuracy, and return the class probabilities ``(B, num_classes)``, for callbacks."""
        if self.trainer.sanity_checking and len(self.train_y) == 0:
            return None  # nothing has been seen yet
        return self._evaluate(batch, "val", self.val_accuracy)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Log the accuracy, and return the class probabilities ``(B, num_classes)``, for callbacks."""
        return self._evaluate(batch, "test", self.test_accuracy)

    def _evaluate(self, batch: Batch, stage: str, accuracy: MulticlassAccuracy) -> Tensor:
        x, y = inputs_and_targets(batch, type(self).__name__)
        check_labels(y, len(x), self.num_classes, type(self).__name__)
        accuracy.update(self.classify(x), y)
        self.log(f"{stage}/accuracy", accuracy, on_epoch=True, prog_bar=True)
        probabilities: Tensor = self(x)
        return probabilities

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the class probabilities ``(B, num_classes)``."""
        probabilities: Tensor = self(inputs_of(batch))
        return probabilities

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return placeholder_optimizer()

    @override
    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        self._gather()
        super()._save_to_state_dict(destination, prefix, keep_vars)

    @override
    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # As many rows as were saved: without this only a state of the same number of rows could be loaded.
        self._new.clear()
        self._fitted = None
        for name in ("train_x", "train_y"):
            if prefix + name in state_dict:
                setattr(self, name, torch.empty_like(state_dict[prefix + name], device=self.random_state.device))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up inputs in [0, 1), as wide as the training rows, and labels of each class in turn.

        Raises UserError where there are no training rows yet: until then it takes any.
        """
        self.fitted()
        inputs = example_inputs(n, self.train_x.shape[1:], self.device)
        return inputs, example_labels(n, self.num_classes, self.device)


def _rows(x: Tensor) -> Any:
    """Return ``(B, ...)`` as a NumPy array ``(B, D)``."""
    return x.detach().flatten(1).cpu().numpy()


def _majorities(groups: list[int], labels: list[int]) -> dict[int, int]:
    """Return the most frequent label of each group; the smallest of them where several are."""
    counts: dict[int, dict[int, int]] = {}
    for group, label in zip(groups, labels, strict=True):
        of_group = counts.setdefault(group, {})
        of_group[label] = of_group.get(label, 0) + 1
    return {group: min(of, key=lambda label: (-of[label], label)) for group, of in counts.items()}
