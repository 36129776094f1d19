"""Parser errors as one line that names the mistake and suggests a correction.

What needs torch is imported where it is needed: most mistakes are reported without it, at once.
"""

import inspect
import re
from typing import ClassVar, NoReturn

from dlmodules_cli.class_paths import kind_in, nearest, why_not
from dlmodules_cli.commands import COMMANDS
from dlmodules_cli.errors import fail
from dlmodules_cli.given import class_without, config_files, option_for

CLASS_PATHS = (
    r"Problem with given class_path '([^']*)'",
    r"dot import path string: (\S+)",
    r"Expected a path but (\S+) either",
    r"'class_path': '([^']*)'",
    r"class_path='([^']*)'",
)
"""Where the parser's messages name a class; the first alone is never about something else."""


class OneLineErrors:
    """Mixin for parsers that say their errors in one line."""

    command_line: ClassVar[list[str]] = []

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print what was wrong and exit with code 2."""
        fail(describe(message, self.command_line))


def describe(message: str, args: list[str]) -> str:
    """Return the parser's ``message`` about ``args`` in the words of this package."""
    if message.startswith("Problems parsing config"):
        return f"{' or '.join(config_files(args))} is no YAML: {message.partition(': ')[2]}"
    if match := re.search(r"invalid choice: '([^']*)'", message):
        return unknown_command(match[1])
    if match := re.search(r"arguments are required: (.*)", message):
        if "," not in match[1] and (option := option_for(match[1].strip(), args)):
            return f"{option} must be given"
        names = " and ".join("--" + name.rpartition(".")[2] for name in match[1].split(", "))
        return f"{names} must be given, or a --config that names them; `systems` lists what there is"
    if match := re.search(r"Option '([^']*)' is not accepted", message):
        return _unknown_argument(match[1], args)
    if match := re.search(r"unrecognized arguments: --(\S+)|does not accept option '([^']*)'", message):
        return _unknown_option(match[1] or match[2])
    if reason := _class_that_cannot_be_had(message):
        return reason
    if match := re.search(r'Parser key "([^"]*)":\s*(.*)', message, re.DOTALL):
        return f"{match[1]}: {_first_reason(match[2])}"
    return message


def unknown_command(name: str) -> str:
    """Return what is said of a command that there is not."""
    return f"there is no command {name!r}{nearest(name, COMMANDS)}; there are: {', '.join(COMMANDS)}"


def _unknown_argument(option: str, args: list[str]) -> str:
    name = option.rpartition(".")[2]
    found = class_without(name, args)
    if found is None:
        return f"there is no argument {option}"
    cls, known = found
    return f"{cls.__name__} has no argument {name}{nearest(name, known)}; it has: {', '.join(sorted(known))}"


def _unknown_option(option: str) -> str:
    owner, _, name = option.partition(".")
    if owner == "trainer" and name:
        import pytorch_lightning as pl

        return f"the trainer has no argument {name}{nearest(name, inspect.signature(pl.Trainer).parameters)}"
    known = ("model", "data", "trainer", "config", "ckpt_path", "seed_everything")
    return f"there is no option {option}{nearest(owner, known)}"


def _class_that_cannot_be_had(message: str) -> str | None:
    kind = kind_in(message)
    for class_path in re.findall("|".join(CLASS_PATHS if kind else CLASS_PATHS[:1]), message):
        reason = why_not(next(filter(None, class_path), ""), kind)
        if reason is not None:
            return reason
    return None


def _first_reason(text: str) -> str:
    """Return the first expectation that the value did not meet, and the value."""
    value = re.search(r"(?:Given value|Got value): (.*)", text)
    if value and (choices := re.search(r"Literal\[([^\]]*)\]", text)):
        return f"expected one of {choices[1]}, got {value[1].strip()}"
    # Options of a class may also come from a file: that a value is no path is never the point.
    expected = re.search(r"Expected (?!a path but)(?:a|an|one of)?\s*(?:<class ')?([^\n'>]*)'?>?", text)
    if value and expected:
        return f"expected {expected[1].split('. Got')[0].strip()}, got {value[1].strip()}"
    return text.strip().splitlines()[0]
