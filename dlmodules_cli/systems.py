"""The list of all public systems."""

import inspect
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

import dlmodules
from dlmodules_cli.configs import all_configs, config_root


@dataclass(frozen=True)
class System:
    """A public module class and where it comes from. ``configs`` are relative to the folder of configurations."""

    family: str
    name: str
    module: type
    paper: str
    books: tuple[str, ...]
    configs: tuple[Path, ...]


def systems() -> list[System]:
    """Return every public system, sorted by family and name."""
    by_class: dict[str, list[Path]] = {}
    for path in all_configs():
        class_path = yaml.safe_load(path.read_text())["model"]["class_path"]
        by_class.setdefault(class_path.rpartition(".")[2], []).append(path.relative_to(config_root()))
    found = []
    for name in public_names():
        module = getattr(dlmodules, name)
        found.append(
            System(
                family=module.__module__.split(".")[1],
                name=name,
                module=module,
                paper=docstring_field(module, "Paper"),
                books=tuple(re.split(r",\s*", docstring_field(module, "Books"))),
                configs=tuple(by_class.get(name, ())),
            )
        )
    return sorted(found, key=lambda system: (system.family, system.name))


def public_names() -> list[str]:
    """Return the public module classes: the names in ``dlmodules/__init__.pyi``."""
    return sorted(name for name in dir(dlmodules) if not name.startswith("_"))


def docstring_field(cls: type, field: str) -> str:
    """Return what stands behind ``field:`` in a class docstring, up to the full stop that ends a line."""
    match = re.search(rf"^{field}:\s*(.*?)\.$", inspect.getdoc(cls) or "", re.MULTILINE | re.DOTALL)
    return " ".join(match.group(1).split()) if match else ""


def book_ids(config: Path) -> str:
    """Return the ids in the first line of a configuration: ``# atienza 8.1.2: ...``; empty where it has none."""
    with open(config) as file:
        match = re.match(r"#\s*((?:atienza|vasilev|foster|lab) [^:]+):", file.readline())
    return match.group(1) if match else ""


def print_systems() -> None:
    """Print the table of systems."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=True)
    for column in ("family", "class", "configs", "books", "paper"):
        table.add_column(column, overflow="fold")
    for system in systems():
        rows = [
            f"configs/{path}" + (f"  ({ids})" if (ids := book_ids(config_root() / path)) else "")
            for path in system.configs
        ]
        table.add_row(system.family, system.name, "\n".join(rows), "\n".join(system.books), system.paper)
    console = Console()
    # Into a file or pipe nothing is cut or wrapped: a script may read it.
    console.print(table) if console.is_terminal else Console(width=250).print(table)
