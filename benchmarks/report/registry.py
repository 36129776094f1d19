"""The public systems as named in the sources, parsed without importing them, which would import torch."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.record import ROOT
from dlmodules_cli.configs import all_configs, config_root


@dataclass(frozen=True)
class Public:
    """A public system.

    Args:
        family: its package.
        title: what that is called: the package's docstring up to the first colon or full stop.
        name: of the class.
        sentence: the first paragraph of its docstring.
        page: below ``docs/systems``.
        configs: below ``configs``, without the suffix.
    """

    family: str
    title: str
    name: str
    sentence: str
    page: str
    configs: tuple[str, ...]


def public() -> list[Public]:
    """Return every public system, sorted by family and name."""
    stub = ast.parse((ROOT / "dlmodules" / "__init__.pyi").read_text())
    configs: dict[str, list[str]] = {}
    for path in all_configs():
        named = re.search(r"^model:\n\s+class_path:\s*[\w.]*?(\w+)$", path.read_text(), re.MULTILINE)
        if named:
            configs.setdefault(named[1], []).append(path.relative_to(config_root()).with_suffix("").as_posix())
    pages = {path.stem.replace("_", ""): path.stem for path in (ROOT / "docs" / "systems").glob("*.md")}
    titles: dict[str, str] = {}
    found = []
    for node in stub.body:
        if isinstance(node, ast.ImportFrom) and node.module and "." in node.module:
            family = node.module.split(".")[0]
            source = ROOT / "dlmodules" / Path(*node.module.split(".")).with_suffix(".py")
            if family not in titles:
                doc = ast.get_docstring(ast.parse((ROOT / "dlmodules" / family / "__init__.py").read_text()))
                titles[family] = re.split(r"[:.]", doc or family, maxsplit=1)[0]
            for alias in node.names:
                found.append(
                    Public(
                        family=family,
                        title=titles[family],
                        name=alias.name,
                        sentence=first_line(source, alias.name),
                        page=pages.get(alias.name.lower(), alias.name.lower()),
                        configs=tuple(configs.get(alias.name, ())),
                    )
                )
    return sorted(found, key=lambda system: (system.family, system.name))


def first_line(source: Path, name: str) -> str:
    """Return the first paragraph of the docstring of the class ``name``, on one line; empty where it has none."""
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    return ""
