"""Parser errors as one line that names the mistake and suggests a correction.

What needs torch is imported where it is needed: most mistakes are reported without it, at once.
"""

import difflib
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import yaml

import callbacks
import datamodules
import dlmodules
from dlmodules_cli.commands import COMMANDS
from dlmodules_cli.errors import fail


class OneLineErrors:
    """Mixin for parsers that say their errors in one line."""

    command_line: ClassVar[list[str]] = []

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print what was wrong and exit with code 2."""
        fail(describe(message, self.command_line))


def describe(message: str, args: list[str]) -> str:
    """Return the parser's ``message`` about ``args`` in the words of this package."""
    if message.startswith("Problems parsing config"):
        return f"{' or '.join(_config_files(args))} is no YAML: {message.partition(': ')[2]}"
    if match := re.search(r"invalid choice: '([^']*)'", message):
        return unknown_command(match[1])
    if match := re.search(r"arguments are required: (.*)", message):
        names = " and ".join("--" + name.rpartition(".")[2] for name in match[1].split(", "))
        return f"{names} must be given, or a --config that names them; `systems` lists what there is"
    if match := re.search(r"Option '([^']*)' is not accepted", message):
        return _unknown_argument(match[1], args)
    if match := re.search(r"unrecognized arguments: --(\S+)|does not accept option '([^']*)'", message):
        return _unknown_option(match[1] or match[2])
    if match := re.search(r"Expected a dot import path string: (\S+)", message):
        return _unknown_class(match[1], message)
    if match := re.search(r"Problem with given class_path '([^']*)'", message):
        return _unknown_class(match[1], message)
    if match := re.search(r'Parser key "([^"]*)":\s*(.*)', message, re.DOTALL):
        return f"{match[1]}: {_first_reason(match[2])}"
    return message


def unknown_command(name: str) -> str:
    """Return what is said of a command that there is not."""
    return f"there is no command {name!r}{nearest(name, COMMANDS)}; there are: {', '.join(COMMANDS)}"


def unknown_class(class_path: str, package: Any) -> str:
    """Return what is said of a class that ``package`` does not have."""
    name = class_path.rpartition(".")[2]
    return f"there is no class {class_path}{nearest(name, package.__all__)}; there are: {', '.join(package.__all__)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" for the words of ``known`` that look like ``word``, else an empty string."""
    by_lower = {name.lower(): name for name in known}
    found = [by_lower[name] for name in difflib.get_close_matches(word.lower(), by_lower, n=2, cutoff=0.6)]
    return f" (did you mean {' or '.join(found)}?)" if found else ""


def _unknown_argument(option: str, args: list[str]) -> str:
    name = option.rpartition(".")[2]
    cls = _class_that_was_given(name, args)
    if cls is None:
        return f"there is no argument {option}"
    from dlmodules.checkpoints.hparams import constructor_arguments

    known = sorted(constructor_arguments(cls))
    return f"{cls.__name__} has no argument {name}{nearest(name, known)}; it has: {', '.join(known)}"


def _unknown_option(option: str) -> str:
    owner, _, name = option.partition(".")
    if owner == "trainer" and name:
        import pytorch_lightning as pl

        return f"the trainer has no argument {name}{nearest(name, inspect.signature(pl.Trainer).parameters)}"
    known = ("model", "data", "trainer", "config", "ckpt_path", "seed_everything")
    return f"there is no option {option}{nearest(owner, known)}"


def _unknown_class(class_path: str, message: str) -> str:
    kinds = {"DataModule": datamodules, "LightningModule": dlmodules, "Callback": callbacks}
    package: Any = next((package for kind, package in kinds.items() if kind in message), dlmodules)
    return unknown_class(class_path, package)


def _first_reason(text: str) -> str:
    """Return the first expectation that the value did not meet, and the value."""
    value = re.search(r"(?:Given value|Got value): (.*)", text)
    if value and (choices := re.search(r"Literal\[([^\]]*)\]", text)):
        return f"expected one of {choices[1]}, got {value[1].strip()}"
    expected = re.search(r"Expected (?:a|an|one of)?\s*(?:<class ')?([^\n'>]*)'?>?", text)
    if value and expected:
        return f"expected {expected[1].split('. Got')[0].strip()}, got {value[1].strip()}"
    return text.strip().splitlines()[0]


def _class_that_was_given(argument: str, args: list[str]) -> type | None:
    """Return the class to which the command line or one of its configurations gives ``argument``."""
    for class_path, names in _given(args):
        if argument in names:
            return _resolve(class_path)
    return None


def _config_files(args: list[str]) -> list[str]:
    words = [part for arg in args for part in (arg.split("=", 1) if arg.startswith("--") else [arg])]
    return [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("--config", "-c")]


def _given(args: list[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield each class that was given with the names of the arguments given to it."""
    words = [part for arg in args for part in (arg.split("=", 1) if arg.startswith("--") else [arg])]
    trees = [yaml.safe_load(Path(path).read_text()) for path in _config_files(args) if Path(path).is_file()]
    for owner in ("model", "data"):
        prefix = f"--{owner}."
        names = {word.removeprefix(prefix).removeprefix("init_args.") for word in words if word.startswith(prefix)}
        chosen = [words[i + 1] for i, word in enumerate(words[:-1]) if word == f"--{owner}"]
        chosen += [path for tree in trees for path, _ in _class_entries((tree or {}).get(owner))]
        if chosen:
            yield chosen[0], names
    for tree in trees:
        yield from _class_entries(tree)


def _class_entries(tree: Any) -> Iterator[tuple[str, set[str]]]:
    if isinstance(tree, dict):
        if isinstance(tree.get("class_path"), str):
            yield tree["class_path"], set(tree.get("init_args") or {})
        for value in tree.values():
            yield from _class_entries(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _class_entries(value)


def _resolve(class_path: str) -> type | None:
    module_name, _, name = class_path.rpartition(".")
    packages = [__import__(module_name, fromlist=[name])] if module_name else [dlmodules, datamodules, callbacks]
    found = next((getattr(package, name) for package in packages if hasattr(package, name)), None)
    return found if isinstance(found, type) else None
