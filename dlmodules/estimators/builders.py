"""Scikit-learn's estimators as plain values: named by class and settings, built from them, seeded.

A checkpoint keeps an estimator in this form, never as a pickle. Only classes of scikit-learn, or of packages that
are imported already, are instantiated because a file names them.
"""

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlmodules.errors import UserError

OWN_PACKAGE = "sklearn"


def estimator_settings(estimator: Any) -> dict[str, Any]:
    """Return ``{"class_path": ..., "init_args": ...}`` of an import path, of such a dict, or of a live estimator.

    Raises:
        UserError: a setting of the live estimator is no plain value.
    """
    if isinstance(estimator, str):
        return {"class_path": estimator, "init_args": {}}
    if isinstance(estimator, Mapping):
        if not isinstance(estimator.get("class_path"), str):
            raise UserError(f"estimator is {dict(estimator)}; it needs a class_path such as sklearn.svm.SVC")
        if unknown := sorted(set(estimator) - {"class_path", "init_args"}):
            raise UserError(
                f"estimator has {unknown[0]!r} beside class_path and init_args; settings belong in init_args, such as"
                """ '{"class_path": "sklearn.svm.SVC", "init_args": {"C": 10}}'"""
            )
        init_args = _plain(estimator.get("init_args") or {}, estimator["class_path"])
        return {"class_path": estimator["class_path"], "init_args": init_args}
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise UserError(f"estimator is {estimator!r}; give an estimator of scikit-learn, or its import path")
    name = type(estimator).__name__
    return {
        "class_path": _public_path(type(estimator)),
        "init_args": {key: _plain(value, f"{name}.{key}") for key, value in estimator.get_params(deep=False).items()},
    }


def _public_path(cls: type) -> str:
    """Return the import path without private modules, such as sklearn.svm.SVC, where the class is found there."""
    public = ".".join(part for part in cls.__module__.split(".") if not part.startswith("_"))
    module = public if getattr(sys.modules.get(public), cls.__name__, None) is cls else cls.__module__
    return f"{module}.{cls.__name__}"


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, np.generic):  # first, since NumPy's float64 is a float too
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item, name) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item, name) for key, item in value.items()}
    if hasattr(value, "get_params") and not isinstance(value, type):
        return estimator_settings(value)
    raise UserError(
        f"{name} is a {type(value).__name__}, which no checkpoint can keep; use numbers, text and estimators"
    )


def make_estimator(settings: Mapping[str, Any], random_state: int) -> Any:
    """Make the estimator that ``settings`` name; each ``random_state`` in it that is not set becomes ``random_state``.

    Raises:
        UserError: no such class, it is no estimator that can predict classes or groups, or a wrong setting.
    """
    from sklearn.base import is_regressor

    estimator = _make(settings)
    name = type(estimator).__name__
    if is_regressor(estimator):
        raise UserError(f"{name} predicts numbers; take an estimator of classes or of clusters")
    if not hasattr(type(estimator), "predict"):
        raise UserError(f"{name} cannot predict the class or cluster of a new row: it has no predict")
    unset = [
        key
        for key, value in estimator.get_params(deep=True).items()
        if key.rpartition("__")[2] == "random_state" and value is None
    ]
    return estimator.set_params(**dict.fromkeys(unset, random_state))


def _make(settings: Mapping[str, Any]) -> Any:
    cls = _find(settings["class_path"])
    init_args = {key: _made(value) for key, value in (settings.get("init_args") or {}).items()}
    if init_args.get("memory") is not None:
        raise UserError(f"{cls.__name__}.memory reads pickles, which may run any code: leave it out")
    try:
        return cls(**init_args)
    except TypeError as error:
        known = ", ".join(sorted(cls().get_params(deep=False))) if _makes_bare(cls) else "see its documentation"
        raise UserError(f"{cls.__name__} cannot be made: {error}; its settings are: {known}") from error


def _made(value: Any) -> Any:
    """Return ``value`` with each estimator that it names instantiated."""
    if isinstance(value, Mapping):
        return _make(value) if "class_path" in value else {key: _made(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_made(item) for item in value]
    return value


def _makes_bare(cls: type) -> bool:
    try:
        cls()
    except TypeError:
        return False
    return True


def _find(class_path: str) -> type:
    from sklearn.base import BaseEstimator

    module_name, _, class_name = class_path.rpartition(".")
    if module_name.partition(".")[0] == OWN_PACKAGE:
        try:
            importlib.import_module(module_name)
        except ImportError as error:
            raise UserError(f"there is no module {module_name} in scikit-learn, for {class_path}") from error
    found = getattr(sys.modules.get(module_name), class_name, None)
    if isinstance(found, type) and issubclass(found, BaseEstimator):
        return found
    raise UserError(
        f"{class_path} is no estimator known here: give the import path of one of scikit-learn, such as"
        " sklearn.svm.SVC, or import its package first"
    )
