"""requirements/min.txt pins what pyproject.toml asks for at least."""

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it to Python 3.10

ROOT = Path(__file__).parents[2]
APART = {"torch", "torchvision"}  # their old wheels take gigabytes


def declared() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}


def pinned() -> dict[str, Requirement]:
    lines = (ROOT / "requirements" / "min.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if not line.startswith("#")]
    return {requirement.name: requirement for requirement in found}


def only_version(requirement: Requirement, operator: str) -> Version:
    (version,) = [part.version for part in requirement.specifier if part.operator == operator]
    return Version(version)


def test_each_dependency_is_pinned_once():
    assert set(pinned()) == set(declared()) - APART
    lines = re.findall(r"^[a-z][^=]*==", (ROOT / "requirements" / "min.txt").read_text("utf-8"), re.MULTILINE)
    assert len(lines) == len(pinned())


@pytest.mark.parametrize("name", sorted(pinned()))
def test_the_pin_is_the_lower_bound(name):
    assert only_version(pinned()[name], "==") == only_version(declared()[name], ">=")
    assert pinned()[name].extras == declared()[name].extras


@pytest.mark.parametrize("name", sorted(APART))
def test_what_is_apart_has_a_lower_bound_too(name):
    assert only_version(declared()[name], ">=")
