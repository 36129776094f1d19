"""To which class a command line, or a configuration that it names, gives an argument."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import callbacks
import datamodules
import dlmodules
from dlmodules.errors import UserError
from dlmodules_cli.class_paths import import_named


class Option(NamedTuple):
    """``--model.init_args.optimizer.lr 1`` has the key ``("model", "optimizer", "lr")`` and the value ``1``."""

    key: tuple[str, ...]
    value: str | None


def words_of(args: list[str]) -> list[str]:
    """Return ``args`` with each ``--option=value`` as two words."""
    return [part for arg in args for part in (arg.split("=", 1) if arg.startswith("--") else [arg])]


def class_after(option: str, words: list[str]) -> type | None:
    """Return the class that the last ``option`` names; None where it cannot be had, which the parser then says."""
    paths = [following for word, following in pairwise(words) if word == option]
    try:
        return _resolve(paths[-1]) if paths else None
    except UserError:
        return None


def config_files(args: list[str]) -> list[str]:
    """Return the configuration files that ``args`` name."""
    return [option.value for option in _options(args) if option.key in (("config",), ("c",)) and option.value]


def class_without(argument: str, args: list[str]) -> tuple[type, frozenset[str]] | None:
    """Return the class that was given ``argument`` and does not take it, and the arguments that it takes."""
    from dlmodules.checkpoints.hparams import constructor_arguments

    for cls, names in _given(args):
        if cls is not None and argument in names:
            known = constructor_arguments(cls) - {"params"}
            if argument not in known:
                return cls, known
    return None


def option_for(argument: str, args: list[str]) -> str | None:
    """Return the option, such as ``--data.folder``, for an argument of the data module or the module that was given."""
    from dlmodules.checkpoints.hparams import constructor_arguments

    trees = _trees(args)
    for owner in ("data", "model"):
        cls = _class_at((owner,), _options(args), trees)
        if cls is not None and argument in constructor_arguments(cls):
            return f"--{owner}.{argument}"
    return None


def _given(args: list[str]) -> Iterator[tuple[type | None, set[str]]]:
    """Yield each class that was given with the names of the arguments given to it."""
    options, trees = _options(args), _trees(args)
    for index, option in enumerate(options):
        if len(option.key) > 1:
            yield _class_at(option.key[:-1], options[:index], trees), {option.key[-1]}
    for tree in trees:
        for class_path, names in _entries(tree):
            yield _resolve(class_path), names


def _class_at(key: tuple[str, ...], options: list[Option], trees: list[Any]) -> type | None:
    """Return the class at ``key``, such as ``("model", "optimizer")``: as given, else the default there."""
    chosen = [option.value for option in options if option.key == key and option.value]
    chosen += [path for tree in reversed(trees) if (path := _path_in(tree, key)) is not None]
    if chosen:
        # The last one that the command line names, which is followed by its arguments.
        return _resolve(chosen[sum(option.key == key for option in options) - 1])
    owner = _class_at(key[:-1], options, trees) if len(key) > 1 else None
    return None if owner is None else _default(owner, key[-1])


def _default(owner: Any, argument: str) -> type | None:
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(owner, "it", fail_untyped=False, instantiate=False)
    class_path = parser.get_defaults().get(f"it.{argument}.class_path")
    return _resolve(class_path) if isinstance(class_path, str) else None


def _options(args: list[str]) -> list[Option]:
    found = []
    for word, following in pairwise([*words_of(args), None]):
        if word is not None and word.startswith("-"):
            key = tuple(part for part in word.lstrip("-").rstrip("+").split(".") if part != "init_args")
            found.append(Option(key, None if following is None or following.startswith("--") else following))
    return found


def _trees(args: list[str]) -> list[Any]:
    """Return what the configuration files hold, in their order."""
    return [yaml.safe_load(Path(path).read_text()) for path in config_files(args) if Path(path).is_file()]


def _path_in(tree: Any, key: tuple[str, ...]) -> str | None:
    for part in key:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(part, (tree.get("init_args") or {}).get(part))
    path = tree.get("class_path") if isinstance(tree, dict) else None
    return path if isinstance(path, str) else None


def _entries(tree: Any) -> Iterator[tuple[str, set[str]]]:
    if isinstance(tree, dict):
        if isinstance(tree.get("class_path"), str):
            yield tree["class_path"], set(tree.get("init_args") or {})
        for value in tree.values():
            yield from _entries(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _entries(value)


def _resolve(class_path: str) -> type | None:
    import pytorch_lightning.callbacks
    import torch

    module_name, _, name = class_path.rpartition(".")
    homes = [dlmodules, datamodules, callbacks, torch.optim, torch.optim.lr_scheduler, pytorch_lightning.callbacks]
    packages = [import_named(module_name)] if module_name else homes
    found = next((getattr(package, name) for package in packages if hasattr(package, name)), None)
    return found if isinstance(found, type) else None
