"""The replay buffer of an agent in a file of its own beside the checkpoint, where it is large.

The checkpoint names that file, whose name is new for every checkpoint: as long as the one checkpoint is there, so is
its replay, and a checkpoint never meets the replay of another. A small buffer stays inside. A checkpoint that is only
played need not carry a large one at all.
"""

from collections.abc import Mapping
from glob import escape
from itertools import count
from pathlib import Path
from typing import Any

from torch import Tensor

from dlmodules.checkpoints.loading import read_file
from dlmodules.errors import UserError

LARGE = 64 * 2**20
"""Bytes of a replay buffer from which on it gets a file of its own."""

LEFT_OUT = {"left_out": True}


def large_replay(checkpoint: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the agent's replay buffer, if it has one that is large."""
    agent = checkpoint.get("agent")
    buffer = agent.get("buffer") if isinstance(agent, dict) else None
    if not isinstance(buffer, dict):
        return None
    size = sum(value.nbytes for value in buffer.values() if isinstance(value, Tensor))
    return buffer if size >= LARGE else None


def with_replay(checkpoint: Mapping[str, Any], replay: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint that has ``replay`` in place of the agent's buffer."""
    return {**checkpoint, "agent": {**checkpoint["agent"], "buffer": replay}}


def new_replay_path(checkpoint_path: Path, step: int) -> Path:
    """Return a path beside the checkpoint, with its name and ``step``, where no file is yet."""
    names = (f"{checkpoint_path.stem}.replay-{step}{f'-{again}' if again else ''}.pt" for again in count())
    return next(path for path in map(checkpoint_path.with_name, names) if not path.exists())


def remove_replays(checkpoint_path: Path, keep: Path | None = None) -> None:
    """Remove all replay files of a checkpoint but ``keep``, and what a killed run left of one half written."""
    stem = escape(checkpoint_path.stem)
    for pattern in (f"{stem}.replay-*.pt", f".{stem}.replay-*.tmp"):
        for path in checkpoint_path.parent.glob(pattern):
            if path != keep:
                path.unlink(missing_ok=True)


def locate_replay(checkpoint: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the checkpoint with the full path of its replay file, where it names one in ``folder``."""
    agent = checkpoint.get("agent")
    buffer = agent.get("buffer") if isinstance(agent, dict) else None
    if not isinstance(buffer, dict) or "file" not in buffer:
        return checkpoint
    return with_replay(checkpoint, {"file": str(folder.resolve() / buffer["file"])})


def read_replay(saved: dict[str, Any]) -> dict[str, Any]:
    """Return the state of the replay buffer for what a checkpoint holds in its place: the state, or a file's name.

    Raises:
        UserError: the checkpoint was written without it, or the file is missing or damaged.
    """
    if saved == LEFT_OUT:
        raise UserError(
            "the checkpoint is one to play: it holds no replay buffer, since that is large; resume from last.ckpt"
        )
    if "file" not in saved:
        return saved
    path = Path(saved["file"])
    if not path.is_absolute():
        raise UserError(
            f"the checkpoint's replay buffer is in {path} beside it: resume with callbacks.AtomicCheckpointIO among the"
            " trainer's plugins, which finds it"
        )
    if not path.is_file():
        raise UserError(f"the checkpoint's replay buffer is missing: there is no {path}, which belongs beside it")
    replay: dict[str, Any] = read_file(path, mmap=True)  # it is copied once, into the buffer
    return replay
