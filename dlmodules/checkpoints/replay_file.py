"""Where the replay buffer of an agent is kept: inside the checkpoint, or beside it where it is large.

A ``ReplayBuffer`` lies beside it in segments (``dlmodules.checkpoints.replay_segments``). What another agent gives as
``buffer`` of its ``agent_state`` cannot be told apart into old and new, and goes to one file, which the checkpoint
names; its name is new for every checkpoint, so a checkpoint never meets the replay of another. A checkpoint that is
only played need not carry a large one at all.
"""

from collections.abc import Mapping
from glob import escape
from itertools import count
from pathlib import Path
from typing import Any

from torch import Tensor

from dlmodules.checkpoints.loading import read_file
from dlmodules.checkpoints.replay_segments import FOLDER, Recorded, find_segments
from dlmodules.errors import UserError

LARGE = 64 * 2**20
"""Bytes of a replay buffer from which on it gets a file of its own."""

LEFT_OUT = {"left_out": True}


def replay_state(buffer: Any, checkpoint_io: Any) -> Any:
    """Return what an agent puts into its checkpoint for a replay buffer.

    That is the buffer itself where it is large and the trainer's plugin, such as ``callbacks.AtomicCheckpointIO``, says
    by ``takes_recorded`` that it writes it; else a copy of all that is in it.
    """
    beside = buffer.nbytes >= LARGE and getattr(checkpoint_io, "takes_recorded", False)
    return buffer if beside else buffer.state_dict()


def large_replay(checkpoint: Mapping[str, Any]) -> Any:
    """Return the agent's replay buffer, or its state, if it has one that is large; else None."""
    agent = checkpoint.get("agent")
    buffer = agent.get("buffer") if isinstance(agent, dict) else None
    if isinstance(buffer, Recorded):
        return buffer
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
    """Return the checkpoint with the full path of its replay file or files, where it names some in ``folder``."""
    agent = checkpoint.get("agent")
    buffer = agent.get("buffer") if isinstance(agent, dict) else None
    if isinstance(buffer, dict) and "segments" in buffer:
        return with_replay(checkpoint, {**buffer, "folder": str(folder.resolve() / FOLDER)})
    if isinstance(buffer, dict) and "file" in buffer:
        return with_replay(checkpoint, {"file": str(folder.resolve() / buffer["file"])})
    return checkpoint


def read_replay(saved: dict[str, Any]) -> dict[str, Any]:
    """Return what a replay buffer loads, for what a checkpoint holds in its place: its state, or where it is.

    Raises:
        UserError: the checkpoint was written without it, or a file is missing or damaged.
    """
    if saved == LEFT_OUT:
        raise UserError(
            "the checkpoint is one to play: it holds no replay buffer, since that is large; resume from last.ckpt"
        )
    if "segments" in saved:
        folder = Path(saved.get("folder", FOLDER))
        _require_found(folder)
        return {**saved, "segments": find_segments(saved, folder), "folder": folder}
    if "file" not in saved:
        return saved
    path = Path(saved["file"])
    _require_found(path)
    if not path.is_file():
        raise UserError(f"the checkpoint's replay buffer is missing: there is no {path}, which belongs beside it")
    replay: dict[str, Any] = read_file(path, mmap=True)  # it is copied once, into the buffer
    return replay


def _require_found(path: Path) -> None:
    if not path.is_absolute():
        raise UserError(
            f"the checkpoint's replay buffer is in {path} beside it: resume with callbacks.AtomicCheckpointIO among the"
            " trainer's plugins, which finds it"
        )
