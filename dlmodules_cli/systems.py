"""The list of all public systems, read from the sources: importing their classes would import torch, for seconds."""

import argparse
import ast
import re
import shutil
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

import dlmodules
from dlmodules.errors import UserError
from dlmodules_cli.books import BOOKS
from dlmodules_cli.class_paths import nearest
from dlmodules_cli.commands import program, show
from dlmodules_cli.configs import all_configs, config_root
from dlmodules_cli.errors import fail

# The parser in C reads a hundred configurations in a tenth of the time.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

BOOK = f"(?:{'|'.join(book.key for book in BOOKS)})"
"""With which an id in a book begins, as a regular expression."""


@dataclass(frozen=True)
class System:
    """A public module class and where it comes from. ``configs`` are relative to the folder of configurations."""

    family: str
    name: str
    paper: str
    books: tuple[str, ...]
    configs: tuple[Path, ...]

    @property
    def module(self) -> type:
        """The class itself, imported when it is asked for."""
        found: type = getattr(dlmodules, self.name)
        return found


def systems() -> list[System]:
    """Return every public system, sorted by family and name."""
    return list(_systems())


@cache  # hundreds of files are read, and none of them changes while a process runs
def _systems() -> tuple[System, ...]:
    by_class: dict[str, list[Path]] = {}
    for path in all_configs():
        class_path = yaml.load(path.read_text(), _Loader)["model"]["class_path"]  # a safe loader
        by_class.setdefault(class_path.rpartition(".")[2], []).append(path.relative_to(config_root()))
    found = []
    for name, source in public_sources().items():
        doc = class_docstring(source, name)
        found.append(
            System(
                family=family_of(source),
                name=name,
                paper=docstring_field(doc, "Paper"),
                books=tuple(re.split(r",\s*", docstring_field(doc, "Books"))),
                configs=tuple(by_class.get(name, ())),
            )
        )
    return tuple(sorted(found, key=lambda system: (system.family, system.name)))


def example_for(name: str) -> tuple[str, str]:
    """Return data that suit the module of this name, and a configuration of it; for others digits are a good guess."""
    own = next((list(system.configs) for system in systems() if system.name == name), [])
    configs = own or [Path("vaes", "vae_digits.yaml")]
    used = [yaml.load((config_root() / path).read_text(), _Loader)["data"]["class_path"] for path in configs]
    data = [class_path.rpartition(".")[2] for class_path in used]
    # Where MNIST goes, scikit-learn's digits go too, which need no download.
    first = "DigitsDataModule" if any("MNIST" in cls or "Digits" in cls for cls in data) else data[0]
    light = [path.stem for path in configs if "digits" in path.stem or "cartpole" in path.stem]
    return first, light[0] if light else configs[0].stem


def public_sources() -> dict[str, Path]:
    """Return the public module classes, the names in ``dlmodules/__init__.pyi``, each with its source file."""
    package = Path(dlmodules.__file__).parent
    stub = ast.parse((package / "__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: package.joinpath(*node.module.split(".")).with_suffix(".py")
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def family_of(source: Path) -> str:
    """Return the package in ``dlmodules`` that a source file is in."""
    return source.relative_to(Path(dlmodules.__file__).parent).parts[0]


def class_docstring(source: Path, name: str) -> str:
    """Return the docstring of a class in a source file; empty where it has none."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    found = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    return (ast.get_docstring(found) if found else None) or ""


def docstring_field(doc: str, field: str) -> str:
    """Return what stands behind ``field:`` in a class docstring, up to the full stop that ends a line."""
    match = re.search(rf"^{field}:\s*(.*?)\.$", doc, re.MULTILINE | re.DOTALL)
    return " ".join(match.group(1).split()) if match else ""


def book_ids(config: Path) -> str:
    """Return the ids in the first line of a configuration: ``# atienza 8.1.2: ...``; empty where it has none."""
    with open(config) as file:
        match = re.match(rf"#\s*({BOOK} [^:]+):", file.readline())
    return match.group(1) if match else ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        fail(message)


def print_systems(args: list[str]) -> None:
    """Print the systems that the words in ``args`` are true of: a line each, or a table with ``--long``.

    Raises:
        UserError: there is none.
    """
    parser = _Parser(prog=f"{program()} systems", description="List the public systems.", allow_abbrev=False)
    parser.add_argument(
        "words",
        nargs="*",
        help="Only those with each of these words in class, family, books, paper or a configuration.",
    )
    parser.add_argument("--long", action="store_true", help="A table with the paper, the books and the configurations.")
    chosen = parser.parse_args(args)
    known = systems()
    found = [fitting for system in known if (fitting := _fitting(system, chosen.words))]
    if not found:
        word = " ".join(chosen.words)
        raise UserError(f"no system has the words {word!r}{nearest(word, [system.name for system in known])}")
    if chosen.long:
        _print_table(found)
    else:
        _print_lines(found)


def _fitting(system: System, words: list[str]) -> System | None:
    """Return a system with the configurations that have those of ``words`` that are not true of itself, if any."""
    # A name is made of words, so any part counts; in a text a word begins where one begins.
    names, text = f"{system.family} {system.name}".lower(), " ".join((system.paper, *system.books))
    rest = [
        word.lower()
        for word in words
        if word.lower() not in names and not re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE)
    ]
    configs = tuple(path for path in system.configs if all(word in str(path).lower() for word in rest))
    return replace(system, configs=configs) if configs or not rest else None


def _print_lines(found: list[System]) -> None:
    # Into a file or pipe nothing is cut: a script may read it.
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    show("\n".join(_line(system, room) for system in found))


def _line(system: System, room: int) -> str:
    line = f"{system.family:<12} {system.name:<25}"
    for index, config in enumerate(system.configs):
        left = len(system.configs) - index
        if len(line) + len(config.stem) + len(f" +{left}") >= room:
            return f"{line} +{left}"
        line += f" {config.stem}"
    return line


def _print_table(found: list[System]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=True)
    for column in ("family", "class", "configs", "books", "paper"):
        table.add_column(column, overflow="fold")
    for system in found:
        rows = [
            f"configs/{path}" + (f"  ({ids})" if (ids := book_ids(config_root() / path)) else "")
            for path in system.configs
        ]
        table.add_row(system.family, system.name, "\n".join(rows), "\n".join(system.books), system.paper)
    console = Console()
    # Into a file or pipe nothing is cut or wrapped: a script may read it.
    console.print(table) if console.is_terminal else Console(width=250).print(table)
