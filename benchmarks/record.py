"""A record: one measurement with all that is needed to assess or repeat it, as one JSON file.

It lies under ``benchmarks/records/<kind>/<name>-seed<k>.json``.
"""

import json
import math
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlmodules.checkpoints.atomic import whole_file
from dlmodules.errors import UserError
from dlmodules_cli.runs import provenance

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "benchmarks" / "records"
# Names and words that records of an earlier day have, and what they are called now.
RENAMED = {
    "asked": "conditional_accuracy",
    "test/read_clean": "test/accuracy_clean",
    "test/read_noisy": "test/accuracy_noisy",
    "test/read_restored": "test/accuracy_restored",
    "test/moved_Smiling": "test/changed_Smiling",
    "test/moved_Eyeglasses": "test/changed_Eyeglasses",
}
REWORDED = {"the share moved": "the fraction changed", "Moved are": "Changed are", "share": "fraction"}
KINDS = ("score", "table", "speed", "memory")
# Records, and the report of them, do not make the checkout's commit another one.
WRITTEN_HERE = (
    "benchmarks/records",
    "benchmarks/results.csv",
    "benchmarks/snippets",
    "BENCHMARKS.md",
    "docs/benchmarks",
)


@dataclass(frozen=True)
class Record:
    """One measurement.

    Args:
        kind: one of ``KINDS``.
        name: of the row, see ``benchmarks.rows``.
        system: public class, or what was measured where there is none.
        config: path of the configuration, None where there is none.
        seed: of the run, 0 or more.
        steps: training steps of the run, environment steps of an agent; 0 where nothing is trained.
        metrics: name to finite number.
        protocol: how it was measured: split, number of samples, what is left out.
        budget: how much training, in words; empty for a speed alone.
        args: what the run said other than its configuration, word by word; all of it where there is no configuration.
        options: what else the row told its program.
        command: what to type to measure it again.
        wall_seconds: of the training, or of the whole measurement where that is no single training.
        commit: of the source, with ``-dirty`` where it was changed.
        versions: package to version.
        hardware: ``cpu``, ``cores``, ``threads``, and ``gpu`` where there is one.
        date: end of the measurement, UTC, ISO 8601.
        details: further facts, such as the single pairs of a comparison; ``withdrawn`` names metrics that were taken
            back, each with the reason.
    """

    kind: str
    name: str
    system: str
    config: str | None
    seed: int
    steps: int
    metrics: dict[str, float]
    protocol: str
    budget: str
    args: list[str]
    options: dict[str, Any]
    command: str
    wall_seconds: float
    commit: str
    versions: dict[str, str]
    hardware: dict[str, Any]
    date: str
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise UserError(f"record {self.name!r}: {problem}")

    @property
    def file_name(self) -> str:
        return f"{self.name}-seed{self.seed}.json"


def _problem(record: Record) -> str | None:
    """Return what is wrong with a record, or None."""
    if record.kind not in KINDS:
        return f"kind is {record.kind!r}; it must be one of {', '.join(KINDS)}"
    for name in ("name", "system", "protocol", "command", "commit", "date"):
        value = getattr(record, name)
        if not isinstance(value, str) or not value:
            return f"{name} must be a text that is not empty, not {value!r}"
    if not re.fullmatch(r"[a-z0-9_]+", record.name):
        return "name must be of small letters, digits and underscores"
    for name in ("seed", "steps"):
        value = getattr(record, name)
        if not isinstance(value, int) or value < 0:
            return f"{name} must be a whole number of 0 or more, not {value!r}"
    if not isinstance(record.budget, str) or not (record.budget or record.kind in ("speed", "memory")):
        return f"budget must be a text that is not empty, not {record.budget!r}"
    if not isinstance(record.args, list) or not all(isinstance(word, str) for word in record.args):
        return f"args must be a list of words, not {record.args!r}"
    if not isinstance(record.options, dict) or "args" in record.options:
        return f"options must be those besides args, not {record.options!r}"
    if not isinstance(record.metrics, dict) or not record.metrics:
        return "metrics must hold at least one number"
    if withdrawn := record.metrics.keys() & record.details.get("withdrawn", {}).keys():
        return f"metrics has {sorted(withdrawn)[0]}, which details calls withdrawn"
    for name, value in {**record.metrics, "wall_seconds": record.wall_seconds}.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return f"{name} must be a finite number, not {value!r}"
    for name in ("cpu", "cores", "threads"):
        if name not in record.hardware:
            return f"hardware does not say {name}"
    try:
        offset = datetime.fromisoformat(record.date).utcoffset()
    except ValueError:
        return f"date is {record.date!r}, not ISO 8601"
    if offset is None or offset.total_seconds() != 0:
        return f"date is {record.date!r}, not UTC"
    return None


def make_record(**measured: Any) -> Record:
    """Return a record of ``measured``, with commit, versions, hardware and date added."""
    return Record(
        commit=measured_commit(),
        versions={name: value for name, value in provenance().items() if name != "commit"},
        hardware=hardware(),
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **measured,
    )


def measured_commit() -> str:
    """Return the commit of the source, with ``-dirty`` where it was changed; ``unknown`` outside a checkout."""
    return _commit(provenance().get("commit", "unknown"))


def _commit(described: str) -> str:
    """Drop ``-dirty`` where nothing has changed but records and the report made from them."""
    if not described.endswith("-dirty"):
        return described
    others = [f":(exclude){path}" for path in WRITTEN_HERE]
    changed = subprocess.run(["git", "-C", str(ROOT), "diff", "--quiet", "HEAD", "--", ".", *others], check=False)
    return described.removesuffix("-dirty") if changed.returncode == 0 else described


def hardware() -> dict[str, Any]:
    """Return the processor's name, its cores, the threads in use, and the GPU if there is one."""
    import torch

    found: dict[str, Any] = {"cpu": _cpu_name(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _cpu_name() -> str:
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        match = None
    if match:
        return match[1].strip()
    import platform

    return platform.processor() or platform.machine()


def write_record(record: Record, folder: Path = RECORDS) -> Path:
    """Write ``record`` below ``folder``, whole or not at all, and return its file."""
    path = folder / record.kind / record.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n")
    return path


def read_record(path: Path) -> Record:
    """Read a record. Raises UserError where the file is none, or lies where it does not belong."""
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no readable record: {error}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} is no record: it holds no object")
    known = {item.name for item in fields(Record)}
    if unknown := sorted(values.keys() - known):
        raise UserError(f"{path} has the unknown field {unknown[0]}")
    if missing := sorted(known - values.keys() - {"details"}):
        raise UserError(f"{path} lacks the field {missing[0]}")
    record = Record(**values)
    protocol = record.protocol
    for earlier, word in REWORDED.items():
        protocol = protocol.replace(earlier, word)
    metrics = {RENAMED.get(metric, metric): value for metric, value in record.metrics.items()}
    record = replace(record, metrics=metrics, protocol=protocol)
    if (path.parent.name, path.name) != (record.kind, record.file_name):
        raise UserError(f"{path} holds the record {record.kind}/{record.file_name}: rename one of them")
    return record


def read_records(folder: Path = RECORDS) -> Iterator[Record]:
    """Read all records below ``folder``, in the order of their names."""
    return map(read_record, sorted(folder.glob("*/*.json")))
