"""Run folders: ``<root>/<config name>/version_<n>`` with all output of a run."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path

from dlmodules.errors import UserError

# Processes that a run starts for further devices must use the folder of the first one.
FOLDER_VARIABLE = "DLMODULES_RUN_FOLDER"
NAMED_PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "gymnasium",
    "numpy",
    "dlmodules",
)


def versions(parent: Path) -> list[Path]:
    """Return the run folders of a configuration, oldest first."""
    found = [path for path in parent.glob("version_*") if re.fullmatch(r"version_\d+", path.name)]
    return sorted(found, key=lambda path: int(path.name.removeprefix("version_")))


@contextmanager
def one_run_folder() -> Iterator[None]:
    """Within, the first run folder made is the only one, in this process and in those that it starts."""
    inherited = FOLDER_VARIABLE in os.environ
    try:
        yield
    finally:
        if not inherited:
            os.environ.pop(FOLDER_VARIABLE, None)


def new_run_folder(root: Path, name: str) -> Path:
    """Make and return the next run folder. Raises UserError where it cannot be made."""
    if FOLDER_VARIABLE in os.environ:
        return Path(os.environ[FOLDER_VARIABLE])
    parent = root / name
    existing = versions(parent)
    number = int(existing[-1].name.removeprefix("version_")) + 1 if existing else 0
    while True:
        folder = parent / f"version_{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:  # another run took the number in this moment
            number += 1
            continue
        except OSError as error:
            raise UserError(
                f"cannot make the run folder {folder}: {error.strerror}; choose another with --trainer.default_root_dir"
            ) from error
        os.environ[FOLDER_VARIABLE] = str(folder)
        return folder


def folder_of_checkpoint(checkpoint: Path) -> Path | None:
    """Return the run folder that ``checkpoint`` lies in, or None where it lies elsewhere."""
    folder = checkpoint.resolve().parent
    return folder.parent if folder.name == "checkpoints" else None


def find_checkpoint(name: str, root: Path, config_name: str) -> Path:
    """Resolve ``--ckpt_path``: a file, or ``last`` or ``best`` of the newest run of this configuration that has one."""
    if name not in ("last", "best"):
        return Path(name)
    for folder in reversed(versions(root / config_name)):
        candidate = folder / "checkpoints" / f"{name}.ckpt"
        if candidate.is_file():
            return candidate
    raise UserError(f"--ckpt_path {name}: no run in {root / config_name} has a checkpoints/{name}.ckpt")


def run_id(folder: Path) -> str:
    """Return the id under which the run is known to W&B; it stays the same when the run is resumed."""
    file = folder / "run_id"
    if not file.is_file():
        try:
            file.write_text(uuid.uuid4().hex[:12] + "\n")
        except OSError as error:
            raise UserError(f"cannot write to the run folder {folder}: {error.strerror}") from error
    return file.read_text().strip()


def provenance() -> dict[str, str]:
    """Return the commit of the source, if it is a checkout, and the versions of the packages that matter."""
    return dict(_provenance())


@cache
def _provenance() -> dict[str, str]:
    found = {}
    here = Path(__file__).resolve().parent
    git = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        commit = subprocess.run(git, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        commit = ""
    if commit:
        found["commit"] = commit
    for package in NAMED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
