"""A large replay buffer beside its checkpoints, in segments, so that a checkpoint writes only what is new.

Transitions are numbered in the order in which they come. A segment is a file of those from one number to another,
in the folder ``replay``; it is never changed, and no name is given twice. A checkpoint holds the list of its segments,
which reach back as far as the buffer does. What came before is in the segments of the checkpoint before, so the
checkpoints of a run share them. A segment goes when no checkpoint of the folder lists it.

New segments are written before the checkpoint that lists them, and old ones go after it is there: whenever a run is
killed, each checkpoint has all of its own. They are tensors alone (safetensors); nothing is unpickled.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from dlmodules.checkpoints.atomic import write_whole
from dlmodules.checkpoints.loading import read_file
from dlmodules.errors import UserError

FOLDER = "replay"
PARTS = 16
"""A segment is at most one of so many parts of a full buffer, which bounds the memory that writing takes."""

CHECKPOINTS = (".ckpt", ".pt", ".pth")
"""What the names of checkpoints end in."""


class Segment(NamedTuple):
    """A file with the transitions ``first`` to ``last - 1``."""

    name: str
    first: int
    last: int


@runtime_checkable
class Recorded(Protocol):
    """A replay buffer that keeps the last ``capacity`` of ``total`` transitions, and can tell which are new."""

    capacity: int
    total: int
    written: dict[Path, list[Segment]]
    """By folder, the segments in which its transitions are already."""

    def record(self, first: int, last: int) -> dict[str, Tensor]:
        """Return the transitions ``first`` to ``last - 1``, as a copy."""
        ...

    def summary(self) -> dict[str, Any]:
        """Return what it remembers besides, as plain values."""
        ...


def write_segments(buffer: Recorded, checkpoint: Path) -> dict[str, Any]:
    """Write what is in no segment beside ``checkpoint`` yet. Returns what the checkpoint holds for the buffer."""
    folder = checkpoint.parent.resolve() / FOLDER
    folder.mkdir(exist_ok=True)
    oldest = max(0, buffer.total - buffer.capacity)
    segments = [segment for segment in buffer.written.get(folder, []) if segment.last > oldest]
    if not all((folder / segment.name).is_file() for segment in segments):
        segments = []  # somebody removed one
    first, length = segments[-1].last if segments else oldest, max(1, buffer.capacity // PARTS)
    for start in range(first, buffer.total, length):
        end = min(start + length, buffer.total)
        # A name of its own: an earlier run, or another one in this folder, may have had the same numbers.
        segment = Segment(f"{start}-{end}.{os.urandom(4).hex()}.safetensors", start, end)
        _write(folder / segment.name, buffer.record(start, end))
        segments.append(segment)
    buffer.written[folder] = segments
    return {**buffer.summary(), "segments": [list(segment) for segment in segments]}


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    content = safetensors.torch.save(tensors)
    write_whole(path, lambda file: file.write(content))


def find_segments(saved: dict[str, Any], folder: Path) -> list[Segment]:
    """Return the segments that a checkpoint lists. Raises UserError where one is not in ``folder``."""
    segments = [Segment(*segment) for segment in saved["segments"]]
    for segment in segments:
        if not (folder / segment.name).is_file():
            raise UserError(
                f"the checkpoint's replay buffer is missing: there is no {folder / segment.name}, which belongs"
                f" beside it; copy the folder {FOLDER} with the checkpoint"
            )
    return segments


def read_segments(folder: Path, segments: Iterable[Segment]) -> Iterator[tuple[Segment, dict[str, Tensor]]]:
    """Yield each of ``segments`` with its tensors, which lie in the file until they are used. Raises UserError."""
    for segment in segments:
        try:
            yield segment, safetensors.torch.load_file(folder / segment.name)
        except (SafetensorError, OSError) as error:
            raise UserError(f"{folder / segment.name} is no readable part of a replay buffer") from error


def remove_unlisted(checkpoint: Path) -> None:
    """Remove the segments beside ``checkpoint`` that no checkpoint there lists, and what was left half written."""
    folder = checkpoint.parent.resolve() / FOLDER
    if not folder.is_dir():
        return
    suffixes = {*CHECKPOINTS, checkpoint.suffix}
    try:
        listed = {name for path in folder.parent.iterdir() if path.suffix in suffixes for name in _listed(path)}
    except UserError:  # there is a checkpoint of which nobody knows what it needs
        return
    for path in folder.iterdir():
        if path.name not in listed and path.suffix in (".safetensors", ".tmp"):
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _listed(checkpoint: Path) -> set[str]:
    content = read_file(checkpoint, mmap=True)
    agent = content.get("agent") if isinstance(content, dict) else None
    buffer = agent.get("buffer") if isinstance(agent, dict) else None
    return {segment[0] for segment in buffer.get("segments", ())} if isinstance(buffer, dict) else set()
