"""Scores of baselines without learning, measured on the data of the run itself."""

from collections.abc import Callable
from importlib import import_module
from math import log, prod
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from torchmetrics.functional import mean_squared_error, r2_score

Rows = tuple[Tensor, Tensor]


def measure(name: str, config: Path) -> dict[str, float]:
    """Return the metrics ``baseline/...`` of the baseline ``name`` on the data of a run's ``config.yaml``."""
    data = yaml.safe_load(config.read_text())["data"]
    module, _, class_name = data["class_path"].rpartition(".")
    datamodule = getattr(import_module(module), class_name)(**data.get("init_args", {}))
    datamodule.prepare_data()
    datamodule.setup("fit")
    datamodule.setup("test")
    return BASELINES[name](datamodule)


def rows(loader: Any) -> Rows:
    """Return all inputs and targets of a loader."""
    parts = list(loader)
    return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])


def majority(datamodule: Any) -> dict[str, float]:
    """Accuracy of the class that most training rows have."""
    _, train = rows(datamodule.train_dataloader())
    _, test = rows(datamodule.test_dataloader())
    return {"baseline/accuracy": float((test == train.mode().values).float().mean())}


def mean_target(datamodule: Any) -> dict[str, float]:
    """Error and explained variance of the training targets' mean."""
    _, train = rows(datamodule.train_dataloader())
    _, test = rows(datamodule.test_dataloader())
    test = test.double().flatten()
    guess = train.double().mean().expand_as(test)
    rmse = float(mean_squared_error(guess, test, squared=False))
    return {"baseline/rmse": rmse, "baseline/r2": float(r2_score(guess, test))}


def mean_input(datamodule: Any) -> dict[str, float]:
    """Squared error of the training inputs' mean, which is the test inputs' variance or a little more."""
    train, _ = rows(datamodule.train_dataloader())
    test, _ = rows(datamodule.test_dataloader())
    return {"baseline/mse": float((test.double() - train.double().mean(0)).square().mean())}


def uniform_categories(datamodule: Any) -> dict[str, float]:
    """Log-likelihood where every combination of the categories is equally probable."""
    return {"baseline/log_likelihood": -log(prod(datamodule.sizes))}


def uniform_colours(datamodule: Any) -> dict[str, float]:
    """Log-likelihood where each pixel of an image has any of 256 colours with the same probability."""
    test, _ = rows(datamodule.test_dataloader())
    height, width = test.shape[-2:]
    return {"baseline/log_likelihood": -height * width * log(256)}


def uniform_map(datamodule: Any) -> dict[str, float]:
    """Log-likelihood where a point lies anywhere on the map of 180 by 360 degrees."""
    return {"baseline/log_likelihood": -log(180 * 360)}


BASELINES: dict[str, Callable[[Any], dict[str, float]]] = {
    "majority": majority,
    "mean_target": mean_target,
    "mean_input": mean_input,
    "uniform_categories": uniform_categories,
    "uniform_colours": uniform_colours,
    "uniform_map": uniform_map,
}
