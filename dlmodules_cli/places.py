"""Where Python finds modules: this package's first, those of the user's working folder last."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

OURS = ("dlmodules", "datamodules", "callbacks")
HOME = Path(__file__).resolve().parent.parent


def let_own_modules_be_named() -> None:
    """Let ``--model my_models.MyGAN`` be found in the working folder, behind all that is installed.

    The installed command has only its own folder in the path. At the end, a ``callbacks/`` of the user hides nothing.
    """
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)


def refuse_hidden_packages() -> None:
    """End in one line where a folder or file of the user's is found in the place of a package of ours."""
    for name in OURS:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None and Path(spec.origin).resolve().parent.parent != HOME:
            _refuse(name, Path(spec.origin))


def _refuse(name: str, origin: Path) -> NoReturn:
    found = origin.parent if origin.name == "__init__.py" else origin
    print(
        f"error: {found} hides the package {name} of dlmodules, since {found.parent} comes first in Python's path:"
        " take it off PYTHONPATH and use the command `dlmodules`, or rename it",
        file=sys.stderr,
    )
    raise SystemExit(2)
