"""A large replay buffer lies beside the checkpoint, and belongs to it whatever moment a run is killed at."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from callbacks import AtomicCheckpointIO
from dlmodules.checkpoints import replay_file
from dlmodules.checkpoints.replay_file import LEFT_OUT, read_replay
from dlmodules.errors import UserError


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_file, "LARGE", 1)


def checkpoint(step: int) -> dict[str, Any]:
    buffer = {"capacity": 3, "reward": torch.full((3,), float(step))}
    return {"state_dict": {}, "global_step": step, "agent": {"env_steps": 8 * step, "buffer": buffer}}


def restored(path: Path) -> tuple[int, float]:
    """Return the step of a checkpoint and that of its replay."""
    content = AtomicCheckpointIO().load_checkpoint(path)
    return content["global_step"], read_replay(content["agent"]["buffer"])["reward"][0].item()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_checkpoint_has_its_own_file_and_the_one_before_is_removed(tmp_path: Path) -> None:
    last, written = tmp_path / "last.ckpt", checkpoint(5)
    AtomicCheckpointIO().save_checkpoint(written, last)
    assert names(tmp_path) == ["last.ckpt", "last.replay-5.pt"]
    assert torch.is_tensor(written["agent"]["buffer"]["reward"])  # what was given is as it was
    assert restored(last) == (5, 5)
    AtomicCheckpointIO().save_checkpoint(checkpoint(7), last)
    assert names(tmp_path) == ["last.ckpt", "last.replay-7.pt"]
    AtomicCheckpointIO().save_checkpoint(checkpoint(7), last)  # again at the same step
    assert names(tmp_path) == ["last.ckpt", "last.replay-7-1.pt"]
    assert restored(last) == (7, 7)
    bare = torch.load(last, weights_only=True)
    assert bare["agent"] == {"env_steps": 56, "buffer": {"file": "last.replay-7-1.pt"}}


def test_a_small_one_stays_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AtomicCheckpointIO().save_checkpoint(checkpoint(5), tmp_path / "last.ckpt")
    monkeypatch.setattr(replay_file, "LARGE", 13)  # bytes; there are 12
    AtomicCheckpointIO().save_checkpoint(checkpoint(6), tmp_path / "last.ckpt")
    assert names(tmp_path) == ["last.ckpt"]
    assert restored(tmp_path / "last.ckpt") == (6, 6)


def test_the_folder_can_be_moved(tmp_path: Path) -> None:
    AtomicCheckpointIO().save_checkpoint(checkpoint(5), tmp_path / "here" / "last.ckpt")
    (tmp_path / "here").rename(tmp_path / "there")
    assert restored(tmp_path / "there" / "last.ckpt") == (5, 5)


class Killed(BaseException):
    """Ends a run at once, as a signal would."""


@pytest.mark.parametrize("call", ["fsync", "replace", "unlink"])
@pytest.mark.parametrize("moment", [1, 2])
@pytest.mark.parametrize("step", [7, 5])
def test_a_kill_at_any_moment_leaves_a_checkpoint_with_its_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, moment: int, step: int
) -> None:
    last, calls = tmp_path / "last.ckpt", 0
    AtomicCheckpointIO().save_checkpoint(checkpoint(5), last)
    other = {**checkpoint(step), "agent": {"buffer": {"reward": torch.full((3,), float(step + 100))}}}

    def dies(*_: Any, **__: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            raise Killed
        real(*_, **__)

    owner = Path if call == "unlink" else os
    real = getattr(owner, call)
    monkeypatch.setattr(owner, call, dies)
    if call == "unlink" and moment == 2:
        AtomicCheckpointIO().save_checkpoint(other, last)  # there is but one file to remove
    else:
        with pytest.raises(Killed):
            AtomicCheckpointIO().save_checkpoint(other, last)
    monkeypatch.undo()
    monkeypatch.setattr(replay_file, "LARGE", 1)
    new = (step, step + 100)
    assert restored(last) == (new if call == "unlink" else (5, 5))
    AtomicCheckpointIO().save_checkpoint(checkpoint(9), last)
    assert restored(last) == (9, 9)
    assert [name for name in names(tmp_path) if "replay" in name] == ["last.replay-9.pt"]  # what was left is gone


def test_a_full_disk_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(checkpoint(5), last)
    for moment in (1, 2):
        calls = 0

        def full(_: int, moment: int = moment) -> None:
            nonlocal calls
            calls += 1
            if calls == moment:
                raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(
                UserError, match=r"cannot write checkpoint .*: the disk is full; the one before is intact"
            ):
                AtomicCheckpointIO().save_checkpoint(checkpoint(7), last)
        assert names(tmp_path) == ["last.ckpt", "last.replay-5.pt"]
        assert restored(last) == (5, 5)


def test_the_best_is_played_and_carries_none_unless_asked(tmp_path: Path) -> None:
    best = tmp_path / "best.ckpt"
    AtomicCheckpointIO().save_checkpoint(checkpoint(5), best)
    assert names(tmp_path) == ["best.ckpt"]
    assert torch.load(best, weights_only=True)["agent"]["buffer"] == LEFT_OUT
    with pytest.raises(UserError, match=r"it holds no replay buffer, since that is large; resume from last.ckpt"):
        restored(best)
    AtomicCheckpointIO(without_replay=()).save_checkpoint(checkpoint(6), best)
    assert restored(best) == (6, 6)


def test_removing_a_checkpoint_removes_its_replay_and_no_other(tmp_path: Path) -> None:
    for name in ("a[1]", "a", "ab"):
        AtomicCheckpointIO().save_checkpoint(checkpoint(5), tmp_path / f"{name}.ckpt")
    AtomicCheckpointIO().remove_checkpoint(tmp_path / "a.ckpt")
    assert names(tmp_path) == ["a[1].ckpt", "a[1].replay-5.pt", "ab.ckpt", "ab.replay-5.pt"]
    AtomicCheckpointIO().remove_checkpoint(tmp_path / "a[1].ckpt")
    assert names(tmp_path) == ["ab.ckpt", "ab.replay-5.pt"]


def test_a_missing_or_damaged_file_is_one_clear_line(tmp_path: Path) -> None:
    last = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(checkpoint(5), last)
    (tmp_path / "last.replay-5.pt").write_bytes(b"half")
    with pytest.raises(UserError, match=r"last.replay-5.pt is no readable checkpoint"):
        restored(last)
    (tmp_path / "last.replay-5.pt").unlink()
    with pytest.raises(UserError, match=r"replay buffer is missing: there is no .*last.replay-5.pt") as caught:
        restored(last)
    assert "\n" not in str(caught.value)
    plain = torch.load(last, weights_only=True)  # by a trainer without the plugin
    with pytest.raises(UserError, match=r"resume with callbacks.AtomicCheckpointIO"):
        read_replay(plain["agent"]["buffer"])
