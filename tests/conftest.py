"""What holds for all tests: no dashboards, no screen."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from dlmodules.compat.bolts import make_importable

pytest_plugins = ["pytester", "tests.no_skips", "tests.one_system"]

os.environ["WANDB_MODE"] = "disabled"
os.environ["WANDB_X_SAVE_REQUIREMENTS"] = "false"  # else each run reads what is installed, for half a second
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
# UMAP lays out sixty points in a test; to compile it first takes five times as long.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")


def pytest_configure() -> None:
    """Let the process that collects the workers' warnings import the classes of lightning-bolts' ones."""
    if find_spec("pl_bolts") is not None:
        make_importable()


@pytest.hookimpl(tryfirst=True)  # before markers choose
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the part of the ladder that trains or exports: it needs a folder."""
    ladder = Path(__file__).parent / "systems"
    for item in items:
        if item.path.parent == ladder and "tmp_path_factory" in getattr(item, "fixturenames", ()):
            item.add_marker("ladder")
