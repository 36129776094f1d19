"""Why a class that the user names, such as ``my_models.Net``, cannot be had.

Nothing here imports torch of itself; to look at a module of the user's it must be imported, which may.
"""

import difflib
import importlib
import inspect
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import callbacks
import datamodules
import dlmodules
from dlmodules.errors import UserError

OURS = (dlmodules, datamodules, callbacks)


class Kind(NamedTuple):
    """What kind of class is asked for: its name in words, the module that has such, and their common base there."""

    words: str
    home: str
    base: str

    def names(self) -> list[str]:
        """Return the names of the classes of this kind that need no import path."""
        home = importlib.import_module(self.home)
        if home in OURS:
            return list(home.__all__)
        base = getattr(home, self.base)
        return sorted(name for name, cls in vars(home).items() if name[0] != "_" and _is_below(cls, base))


KINDS = {
    "LightningDataModule": Kind("data module", "datamodules", "LightningDataModule"),
    "LightningModule": Kind("module", "dlmodules", "LightningModule"),
    "Callback": Kind("callback", "callbacks", "Callback"),
    "LRScheduler": Kind("scheduler", "torch.optim.lr_scheduler", "LRScheduler"),
    "Optimizer": Kind("optimizer", "torch.optim", "Optimizer"),
    "Module": Kind("network", "torch.nn", "Module"),
}
"""By the name of the base class: what a message says of it."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" for the words of ``known`` that look like ``word``, else an empty string."""
    by_lower = {name.lower(): name for name in known}
    found = [by_lower[name] for name in difflib.get_close_matches(word.lower(), by_lower, n=2, cutoff=0.6)]
    return f" (did you mean {' or '.join(found)}?)" if found else ""


def unknown_class(class_path: str, package: Any) -> str:
    """Return what is said of a class that ``package`` does not have."""
    name = class_path.rpartition(".")[2]
    return f"there is no class {class_path}{nearest(name, package.__all__)}; there are: {', '.join(package.__all__)}"


def import_named(name: str) -> ModuleType:
    """Import the module ``name``.

    Raises:
        UserError: there is none, and the folders in which it was looked for; or what in it failed, with file and line.
    """
    refuse_unknown_package(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            parent = sys.modules.get(error.name.rpartition(".")[0])
            raise UserError(
                f"no module {error.name}; looked in {', '.join(getattr(parent, '__path__', ()))}"
            ) from error
        raise UserError(_failed(name, error)) from error
    except Exception as error:  # whatever the user's module does
        raise UserError(_failed(name, error)) from error


def refuse_unknown_package(name: str) -> None:
    """Raise UserError unless there is a module or package of the first part of ``name``; nothing is imported."""
    first = name.partition(".")[0]
    if first in sys.modules or find_spec(first) is not None:
        return
    here = Path(os.getcwd())
    known = [path.stem for path in here.glob("*.py")] + [package.__name__ for package in OURS]
    raise UserError(f"no module {first}{nearest(first, known)}; looked in {', '.join(_folders())}")


def why_not(class_path: str, kind: Kind | None) -> str | None:
    """Return in words why ``class_path`` is no class that can be had; None where it is one, or no such path at all."""
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", class_path):
        return None
    if class_path.endswith((".yaml", ".yml", ".json")):
        return f"there is no file {class_path}"
    module_name, _, name = class_path.rpartition(".")
    if not module_name:
        return _unknown_short_name(name, kind)
    try:
        module = import_named(module_name)
    except UserError as error:
        return str(error)
    if module in OURS and name not in module.__all__:
        return unknown_class(class_path, module)
    found = getattr(module, name, None)
    if found is None:
        return f"{_place(module)} has no class {name}{nearest(name, _classes_of(module))}"
    if kind is not None and inspect.isclass(found) and not any(base.__name__ == kind.base for base in found.__mro__):
        return f"{class_path} is no {kind.words}: it must be a subclass of {kind.base}"
    return None


def kind_in(text: str) -> Kind | None:
    """Return the kind of class that a parser's message is about, by the base that it names or else by its argument."""
    argument = re.search(r'Parser key "([^"]*)"', text)
    for base, kind in KINDS.items():
        if re.search(rf"\b{base}\b", text) or (argument is not None and kind.words in argument[1]):
            return kind
    return None


def _unknown_short_name(name: str, kind: Kind | None) -> str | None:
    if kind is None:
        return None
    names = kind.names()
    if name in names:
        return None
    if kind.home in (package.__name__ for package in OURS):
        return unknown_class(name, importlib.import_module(kind.home))
    if kind.home == "torch.nn":
        return f"there is no network {name}: give its import path, such as my_networks.{name}"
    return f"there is no {kind.words} {name}{nearest(name, names)}; there are: {', '.join(names)}"


def _is_below(value: Any, base: type) -> bool:
    return inspect.isclass(value) and issubclass(value, base) and value is not base


def _classes_of(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if inspect.isclass(value)]


def _place(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return module.__name__ if file is None or _is_others(file) else f"{module.__name__} ({file})"


def _failed(name: str, error: Exception) -> str:
    """Return what failed while the module ``name`` was imported, and where: file and line of the user's."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        place, reason = f"{error.filename}, line {error.lineno}", error.msg
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_file()]
        of_users = [frame for frame in frames if not _is_others(frame.filename)]
        last = (of_users or frames)[-1]
        place, reason = f"{last.filename}, line {last.lineno}", str(error)
    return f"{name} cannot be imported: {type(error).__name__}: {reason} ({place})"


def _is_others(file: str) -> bool:
    """Whether ``file`` is of Python's, of an installed package or of ours: the user looks for his own."""
    others = [*_installed(), *(str(Path(package.__file__ or "").parent) for package in OURS)]
    return any(Path(file).is_relative_to(folder) for folder in [*others, str(Path(__file__).parent)])


def _installed() -> set[str]:
    paths = sysconfig.get_paths()
    return {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}


def _folders() -> list[str]:
    """Return the folders in which a module of the user's may lie: those in Python's path that are not Python's own."""
    pythons = {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")}
    folders = [str(Path(folder or ".").resolve()) for folder in sys.path]
    own = [folder for folder in folders if Path(folder).is_dir() and Path(folder).name != "lib-dynload"]
    return list(dict.fromkeys(folder for folder in own if folder not in pythons))
