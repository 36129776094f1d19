"""What is new touches its own files, a line of the public names, its configuration and its page, and no program."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.systems.throw_away import ADDITIONS

ROOT = Path(__file__).parents[2]
COPIED = ("callbacks", "configs", "datamodules", "dlmodules", "dlmodules_cli", "docs", "tests")
COPIED_FILES = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "mkdocs.yml", "pyproject.toml", "train.py")
# Written by a command, not by hand.
LISTS = {"README.md", "mkdocs.yml"}


@pytest.fixture
def repository(tmp_path):
    """A copy of what a system needs."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in COPIED_FILES:
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def contents(repository: Path) -> dict[str, bytes]:
    """The bytes of all files that may be touched, by path."""
    files = (path for path in repository.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(repository).as_posix(): path.read_bytes() for path in files}


def python(repository: Path, *words: str) -> str:
    """Run a module in the copy, with the packages of the copy, and return what it said."""
    environment = os.environ | {"PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_something_new_touches_no_program(repository):
    before = contents(repository)
    for addition in ADDITIONS:
        addition.write(repository)
    python(repository, "dlmodules_cli.lists")
    chosen = ["-v", "-p", "no:cacheprovider", "-k", "(throw_away or ThrowAway) and not command_parses"]
    said = python(repository, "pytest", "tests/systems/test_ladder.py", "tests/docs", "tests/datamodules", *chosen)

    passed = Counter(case.rpartition("-")[2] for case in re.findall(r"\[(.*)\] PASSED", said))
    for system in ("ThrowAwayClassifier", "ThrowAwayGAN", "ThrowAwayAgent"):
        assert passed[system] >= 10, said  # of the ladder and of the pages
    for config in ("throw_away_classifier", "throw_away_gan", "throw_away_data", "throw_away_agent"):
        assert passed[config] == 3, said  # trained, with small data, by its ids
    assert passed["ThrowAwayDataModule"] >= 1, said

    after = contents(repository)
    assert before.keys() <= after.keys()
    new, changed = after.keys() - before.keys(), {path for path in before if before[path] != after[path]}
    assert new == {path for addition in ADDITIONS for path in addition.files}
    assert changed == LISTS | {path for addition in ADDITIONS for path in addition.lines}
    assert not [path for path in changed if path.endswith(".py")]
    # A module, its configuration and its page; and a line each of the public names.
    assert [len(addition.files) + len(addition.lines) for addition in ADDITIONS] == [4, 4, 4, 4]
