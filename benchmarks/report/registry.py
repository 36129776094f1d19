"""The public systems as the sources name them, read without importing them: they would bring torch."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.record import ROOT
from dlmodules_cli.configs import all_configs, config_root


@dataclass(frozen=True)
class Public:
    """A public system: family, class name, first line of its docstring, page, and configurations below ``configs``."""

    family: str
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
    found = []
    for node in stub.body:
        if isinstance(node, ast.ImportFrom) and node.module and "." in node.module:
            source = ROOT / "dlmodules" / Path(*node.module.split(".")).with_suffix(".py")
            for alias in node.names:
                found.append(
                    Public(
                        family=node.module.split(".")[0],
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
