"""What holds for all tests: no dashboards, no screen."""

import os
from importlib.util import find_spec

from dlmodules.compat.bolts import make_importable

pytest_plugins = ["pytester", "tests.no_skips", "tests.one_system"]

os.environ["WANDB_MODE"] = "disabled"
os.environ["WANDB_X_SAVE_REQUIREMENTS"] = "false"  # else each run reads what is installed, for half a second
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def pytest_configure() -> None:
    """Let the process that collects the workers' warnings import the classes of lightning-bolts' ones."""
    if find_spec("pl_bolts") is not None:
        make_importable()
