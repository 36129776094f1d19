"""What is kept beside a run of a stage: what it was made of, and whether it is finished."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dlmodules.checkpoints.atomic import write_whole
from dlmodules_cli.agreement import SURROUNDINGS

PARTS = ("model", "data", "seed_everything", "trainer", "ckpt_path")
"""Of a configuration what a run is made of."""
AROUND_THE_TRAINER = frozenset(
    {
        *("accelerator", "default_root_dir", "devices", "enable_model_summary", "enable_progress_bar"),
        *("log_every_n_steps", "logger", "profiler"),
    }
)
"""What of the trainer is only where it trains, and what is seen of it."""


@dataclass(frozen=True)
class StageRecord:
    """A run of a stage.

    Args:
        identity: of what it is made of.
        finished: whether it has ended by itself.
        metrics: the last value of each that was logged.
    """

    identity: str
    finished: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)

    def write(self, folder: Path, stage: str) -> None:
        """Write it into a run folder."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"
        write_whole(_file(folder, stage), lambda file: file.write(text.encode()))


def read_record(folder: Path, stage: str) -> StageRecord | None:
    """Return the record of a stage in a run folder; None where there is none, or it is not whole."""
    try:
        return StageRecord(**json.loads(_file(folder, stage).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _file(folder: Path, stage: str) -> Path:
    return folder / f"stage-{stage}.json"


def identity_of(config: Mapping[str, Any], hashes: Mapping[str, str], root: Path) -> str:
    """Return a name of what a run is made of, which differs where anything of it does.

    Args:
        config: its whole configuration, plain values as in YAML.
        hashes: of the checkpoints it takes, by their paths: what they are counts, and not where they lie.
        root: of all runs, which does not count either.
    """
    made_of = {part: config.get(part) for part in PARTS}
    made_of["trainer"] = _without(made_of["trainer"], AROUND_THE_TRAINER)
    data = made_of["data"] or {}
    made_of["data"] = {**data, "init_args": _without(data.get("init_args"), SURROUNDINGS)}
    text = json.dumps(_placeless(made_of, hashes, str(root)), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _without(found: Any, names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in (found or {}).items() if name not in names}


def _placeless(value: Any, hashes: Mapping[str, str], root: str) -> Any:
    if isinstance(value, dict):
        return {key: _placeless(part, hashes, root) for key, part in value.items()}
    if isinstance(value, list):
        return [_placeless(part, hashes, root) for part in value]
    if not isinstance(value, str):
        return value
    if value in hashes:
        return hashes[value]
    return "{root}" + value.removeprefix(root) if Path(value).is_relative_to(root) else value
