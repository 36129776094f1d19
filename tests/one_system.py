"""``pytest --system LSGAN``: the tests of one public system, for whoever adds or changes it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--system", metavar="NAME", help="run only what is asked of this public system")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    name = config.getoption("--system")
    if name is None:
        return
    names = Names.of(name)
    chosen = [item for item in items if names.are_in(item.path, getattr(item, "callspec", None))]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


@dataclass(frozen=True)
class Names:
    """What a system is called among the parameters and the files of the tests."""

    parameters: frozenset[str]
    files: frozenset[str]

    @classmethod
    def of(cls, system: str) -> "Names":
        """Return the names of a public system. Raises pytest.UsageError where there is none of that name."""
        from dlmodules_cli.systems import systems

        known = {found.name: found for found in systems()}
        if system not in known:
            raise pytest.UsageError(f"there is no public system {system!r}; `python train.py systems` lists them")
        configs = [path.stem for path in known[system].configs]
        module = known[system].module.__module__.rpartition(".")[2]
        return cls(frozenset([_plain(system), *map(_plain, configs)]), frozenset([f"test_{module}.py"]))

    def are_in(self, path: Path, parameters: object) -> bool:
        """Return whether a test is of the system: by its file, or by a parameter that names class, page or YAML."""
        of_family = "dlmodules" in path.parts and path.name in self.files
        words = re.split(r"-(?![^/]*\.md)", getattr(parameters, "id", ""))
        return of_family or any(_plain(Path(word).stem) in self.parameters for word in words)


def _plain(name: str) -> str:
    """Return a name without what differs between classes, files and pages: ``WGANGP`` is ``wgan_gp``."""
    return name.replace("_", "").lower()
