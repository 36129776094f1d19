"""Run folders: ``<root>/<config name>/version_<n>`` with all output of a run."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from dlmodules.errors import UserError
from dlmodules_cli.agreement import MODEL_ALONE, WHOLE, differences

DEFAULT_ROOT = "runs"
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


def checkpoint_in(path: Path, preferred: str = "best") -> Path:
    """Return ``path`` if it is a file; of a run folder or a folder of such, the checkpoint ``preferred`` if it has it.

    Raises:
        UserError: there is none.
    """
    if path.is_file():
        return path
    for folder in (path, *reversed(versions(path))):
        for name in dict.fromkeys((preferred, "last")):
            if (found := folder / "checkpoints" / f"{name}.ckpt").is_file():
                return found
    raise UserError(f"there is no checkpoint {path}")


def newest_checkpoint(given: str, root: Path = Path(DEFAULT_ROOT)) -> Path:
    """Return the checkpoint of a file or run folder, or ``last`` or ``best`` of the run below ``root`` with the newest.

    Raises:
        UserError: there is none.
    """
    if given not in ("last", "best"):
        return checkpoint_in(Path(given))
    found = list(root.glob(f"*/version_*/checkpoints/{given}.ckpt"))
    if not found:
        raise UserError(f"--ckpt_path {given}: there is no checkpoint {root}/*/version_*/checkpoints/{given}.ckpt")
    return max(found, key=lambda path: path.stat().st_mtime)


def find_checkpoint(
    name: str, root: Path, config_name: str, asked: dict[str, Any] | None = None, training: bool = True
) -> Path:
    """Resolve ``--ckpt_path``: a file, or ``last`` or ``best`` of a run of this configuration.

    Args:
        name: a path, ``last`` or ``best``.
        root: the folder of all runs.
        config_name: the folder in it of the runs of this configuration.
        asked: the configuration of the command, as plain values; the newest run that agrees with it is taken. None
            takes the newest that has such a checkpoint.
        training: the run is to go on. An evaluation also takes a run of the same model on other data.

    Raises:
        UserError: no run has such a checkpoint, or none agrees; then the line names how the newest differs.
    """
    if name not in ("last", "best"):
        return Path(name)
    folders = [folder / "checkpoints" for folder in reversed(versions(root / config_name))]
    found = [folder / f"{name}.ckpt" for folder in folders if (folder / f"{name}.ckpt").is_file()]
    if not found:
        has_last = any((folder / "last.ckpt").is_file() for folder in folders)
        hint = ": they had no validation, so give --ckpt_path last" if name == "best" and has_last else ""
        raise UserError(f"--ckpt_path {name}: no run in {root / config_name} has a checkpoints/{name}.ckpt{hint}")
    unlike: list[str] = []
    for parts in (WHOLE,) if training else (WHOLE, MODEL_ALONE):
        unlike = []
        for checkpoint in found:
            unlike.append(_unlike(checkpoint, asked, parts))
            if not unlike[-1]:
                return checkpoint
    raise UserError(
        f"--ckpt_path {name}: no run in {root / config_name} agrees with the command:"
        f" {found[0].parent.parent.name} has {unlike[0]}; give --ckpt_path {found[0]} to take it anyway"
    )


def _unlike(checkpoint: Path, asked: dict[str, Any] | None, parts: tuple[str, ...]) -> str:
    """Return how the run of ``checkpoint`` differs, in words; empty where it agrees or its configuration is lost."""
    config = checkpoint.parent.parent / "config.yaml"
    if asked is None or not config.is_file():
        return ""
    return "; ".join(differences(asked, yaml.safe_load(config.read_text()) or {}, parts)[:3])


def run_name(configs: Sequence[str], model: str, data: str | None) -> str:
    """Return the name of the folder of the runs of a configuration.

    Args:
        configs: the configuration files: ``vae_digits``, or ``vae_digits+fast`` of two. The ``config.yaml`` of a run
            has the name of that run's.
        model: where there is no file, the class path of the module: ``VAE-Digits``, which no file of ours is called.
        data: the class path of its data module.
    """
    if configs:
        return "+".join(_stem(Path(config)) for config in configs)
    names = [path.rpartition(".")[2] for path in (model, data) if path]
    return "-".join(names).removesuffix("DataModule")


def _stem(config: Path) -> str:
    folder = config.resolve().parent
    return folder.parent.name if re.fullmatch(r"version_\d+", folder.name) else config.stem


def run_id(folder: Path) -> str:
    """Return the id under which the run is known to W&B; it stays the same when the run is resumed."""
    file = folder / "run_id"
    if not file.is_file():
        # The agent of a sweep chooses the ids of its runs.
        chosen = os.environ.get("WANDB_RUN_ID") if "WANDB_SWEEP_ID" in os.environ else None
        try:
            file.write_text((chosen or uuid.uuid4().hex[:12]) + "\n")
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
