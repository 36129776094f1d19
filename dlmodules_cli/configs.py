"""The folder of the configurations: ``configs/`` of a checkout, or its copy in an installed package."""

import difflib
from pathlib import Path

from dlmodules.errors import UserError

SWEEPS = "sweeps"
"""The folder beside those of the families: sweeps over their configurations."""
_PACKAGED = Path(__file__).resolve().parent / "configs"
_CHECKOUT = Path(__file__).resolve().parent.parent / "configs"


def config_root() -> Path:
    """Return the folder that holds ``<family>/<system>.yaml``."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def all_configs() -> list[Path]:
    """Return every configuration of a system, sorted."""
    return sorted(path for path in config_root().glob("*/*.yaml") if path.parent.name != SWEEPS)


def find_config(path: str) -> str:
    """Return ``path`` if it is a file, else the package's own configuration of that name.

    So ``--config configs/vaes/vae_digits.yaml`` works from any folder, and ``--config vae_digits`` too.

    Raises:
        UserError: it is neither.
    """
    if Path(path).is_file():
        return path
    parts = Path(path).parts
    own = config_root().joinpath(*(parts[1:] if parts[:1] == ("configs",) else parts))
    if own.is_file():
        return str(own)
    known = {config.stem: config for config in all_configs()}
    if path in known:
        return str(known[path])
    close = difflib.get_close_matches(Path(path).stem, known, n=2)
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    raise UserError(f"no configuration at {path}{meant}; `systems` lists those of the package")
