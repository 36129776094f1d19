"""A large replay buffer is written bit by bit beside the checkpoints, and each of them loads what it saw."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from callbacks import AtomicCheckpointIO
from dlmodules.checkpoints import replay_file
from dlmodules.checkpoints.replay_file import read_replay, replay_state
from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl import observations
from dlmodules.rl.buffers import ReplayBuffer
from dlmodules.rl.frames import FrameStore
from dlmodules.rl.n_step_replay import NStepReplay
from tests.dlmodules.rl.test_dqn_resume import assert_same
from tests.dlmodules.rl.test_observations import episodes

CAPACITY, LANES = 50, 3
KINDS: dict[str, Callable[[], ReplayBuffer]] = {
    "whole": partial(ReplayBuffer, CAPACITY, (3, 3, 3), torch.uint8),
    "stacks": partial(ReplayBuffer, CAPACITY, (3, 3, 3), torch.uint8, 3),
    "stacks, n steps": partial(NStepReplay, CAPACITY, (3, 3, 3), torch.uint8, 3, n=3),
}


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_file, "LARGE", 1)


@pytest.fixture(params=["pairs", *KINDS])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], ReplayBuffer]:
    """Make an empty buffer, of each kind."""
    if request.param == "pairs":
        return KINDS["whole"]
    monkeypatch.setattr(observations, "SHARED_FROM_BYTES", 1)
    return KINDS[request.param]


def play(buffer: ReplayBuffer, steps: int, seed: int) -> None:
    """Add steps of ``LANES`` environments whose episodes end after ten on average."""
    draw = partial(torch.rand, LANES, generator=torch.Generator().manual_seed(seed))
    for observation, after in episodes(LANES, 3, steps, seed):
        buffer.add(
            Transition(
                observation=observation,
                action=(5 * draw()).long(),
                reward=draw(),
                next_observation=after,
                terminated=draw() < 0.1,
                truncated=draw() < 0.1,
                info={"log_prob": draw().double()},
            )
        )


def save(buffer: ReplayBuffer, path: Path) -> None:
    io = AtomicCheckpointIO()
    agent = {"env_steps": buffer.total, "buffer": replay_state(buffer, io)}
    io.save_checkpoint({"state_dict": {}, "global_step": buffer.total, "agent": agent}, path)


def restored(path: Path, buffer: ReplayBuffer) -> ReplayBuffer:
    content = AtomicCheckpointIO().load_checkpoint(path)
    buffer.load_state_dict(read_replay(content["agent"]["buffer"]))
    assert buffer.total == content["agent"]["env_steps"]
    return buffer


def segments(folder: Path) -> dict[str, int]:
    """Return the segments with the numbers of their files, which are new for what is written again."""
    return {path.name: path.stat().st_ino for path in sorted((folder / "replay").iterdir())}


def ranges(folder: Path) -> list[tuple[int, ...]]:
    return sorted(tuple(map(int, name.partition(".")[0].split("-"))) for name in segments(folder))


def test_each_checkpoint_writes_what_is_new_and_loads_what_it_saw(
    make: Callable[[], ReplayBuffer], tmp_path: Path
) -> None:
    """Over the end of the ring, and resumed in between; twice without anything new."""
    buffer, states, before, written = make(), {}, {}, 0
    for number, steps in enumerate((2, 3, 0, 9, 4, 1, 30, 7)):
        play(buffer, steps, number)
        path = tmp_path / f"step={number}.ckpt"
        save(buffer, path)
        states[path] = buffer.state_dict()
        now = segments(tmp_path)
        assert before.items() <= now.items()  # never written again
        written += min(steps * LANES, CAPACITY)
        assert sum(end - start for start, end in ranges(tmp_path)) == written  # and nothing twice
        before = now
        if number % 2:
            buffer = restored(path, make())
    for path, state in states.items():
        twin = restored(path, make())
        assert_same(twin.state_dict(), state)
    play(buffer, 40, 99)
    play(twin, 40, 99)
    assert_same(twin.state_dict(), buffer.state_dict())
    places = torch.arange(CAPACITY)
    assert_same(vars(twin.get(places)), vars(buffer.get(places)))


def test_a_segment_goes_when_no_checkpoint_lists_it(tmp_path: Path) -> None:
    buffer = KINDS["whole"]()
    play(buffer, 10, 0)
    save(buffer, tmp_path / "early.ckpt")
    for number in range(30):
        play(buffer, 5, number)
        save(buffer, tmp_path / "last.ckpt")
    # 30 of the first 30, and the last 50, of which the ends of a segment may hang over.
    assert ranges(tmp_path)[9] == (27, 30)
    assert ranges(tmp_path)[10][0] in range(480 - CAPACITY - 3, 480 - CAPACITY + 1)
    assert len(restored(tmp_path / "early.ckpt", KINDS["whole"]())) == 30
    AtomicCheckpointIO().remove_checkpoint(tmp_path / "early.ckpt")
    assert ranges(tmp_path)[0][0] >= 480 - CAPACITY - 3
    AtomicCheckpointIO().remove_checkpoint(tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_in_the_folder_of_another_never_meets_its_segments(tmp_path: Path) -> None:
    for seed in (0, 1):
        buffer = KINDS["whole"]()
        play(buffer, 20, seed)
        save(buffer, tmp_path / f"{seed}.ckpt")
        assert_same(restored(tmp_path / f"{seed}.ckpt", KINDS["whole"]()).state_dict(), buffer.state_dict())
    old = restored(tmp_path / "0.ckpt", KINDS["whole"]())
    play(old, 3, 5)
    save(old, tmp_path / "elsewhere" / "0.ckpt")  # all of it again: the folder is to be complete
    assert ranges(tmp_path / "elsewhere")[0][0] == 69 - CAPACITY


def test_the_folder_can_be_moved_and_copied(tmp_path: Path) -> None:
    buffer = KINDS["stacks"]()
    play(buffer, 20, 0)
    save(buffer, tmp_path / "here" / "last.ckpt")
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    (tmp_path / "here").rename(tmp_path / "there")
    for name in ("there", "copy"):
        twin = restored(tmp_path / name / "last.ckpt", KINDS["stacks"]())
        assert_same(twin.state_dict(), buffer.state_dict())
    play(buffer, 1, 1)
    save(buffer, tmp_path / "here" / "last.ckpt")  # what was there has gone, so all is written again
    assert_same(restored(tmp_path / "here" / "last.ckpt", KINDS["stacks"]()).state_dict(), buffer.state_dict())


def test_what_is_missing_or_damaged_is_one_clear_line(tmp_path: Path) -> None:
    buffer, path = KINDS["whole"](), tmp_path / "last.ckpt"
    play(buffer, 20, 0)
    save(buffer, path)
    with pytest.raises(UserError, match="buffer_capacity=50"):
        restored(path, ReplayBuffer(51, (3, 3, 3), torch.uint8))
    with pytest.raises(UserError, match=r"shape \(3, 3, 3\), not \(4,\)"):
        restored(path, ReplayBuffer(CAPACITY, (4,), torch.uint8))
    plain = torch.load(path, weights_only=True)["agent"]["buffer"]
    with pytest.raises(UserError, match=r"resume with callbacks\.AtomicCheckpointIO"):
        read_replay(plain)
    part = tmp_path / "replay" / sorted(segments(tmp_path))[3]
    part.write_bytes(part.read_bytes()[:-5])
    with pytest.raises(UserError, match=rf"replay/{part.name} is no readable part of a replay buffer"):
        restored(path, KINDS["whole"]())
    part.unlink()
    with pytest.raises(UserError, match=rf"there is no .*/replay/{part.name}, which belongs beside it; copy") as caught:
        restored(path, KINDS["whole"]())
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_nobody_can_read_keeps_all_segments(tmp_path: Path) -> None:
    buffer = KINDS["whole"]()
    play(buffer, 20, 0)
    save(buffer, tmp_path / "kept.ckpt")
    found = segments(tmp_path)
    (tmp_path / "kept.ckpt").write_bytes(b"half")
    play(buffer, 40, 1)
    save(buffer, tmp_path / "last.ckpt")
    assert found.items() <= segments(tmp_path).items()


def test_one_that_is_played_and_another_plugin_have_none_beside_them(tmp_path: Path) -> None:
    buffer = KINDS["whole"]()
    play(buffer, 3, 0)
    save(buffer, tmp_path / "best.ckpt")
    assert [path.name for path in tmp_path.iterdir()] == ["best.ckpt"]
    assert_same(replay_state(buffer, object()), buffer.state_dict())


class Killed(BaseException):
    """Ends a run at once, as a signal would."""


def dying(monkeypatch: pytest.MonkeyPatch, moment: int, error: BaseException) -> Callable[[], int]:
    """Raise ``error`` at the ``moment``-th of the calls that change what is on the disk; return how many there were."""
    calls = 0

    def counted(real: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == moment:
            raise error
        return real(*arguments, **named)

    for owner, name in ((os, "fsync"), (os, "replace"), (Path, "unlink"), (Path, "rmdir")):
        real = getattr(owner, name)
        # A function, which takes the path of Path.unlink as its first argument.
        monkeypatch.setattr(owner, name, lambda *a, _real=real, **n: counted(_real, *a, **n))
    return lambda: calls


@pytest.mark.parametrize("kind", ["killed", "disk full"])
def test_a_kill_or_a_full_disk_at_any_moment_leaves_a_checkpoint_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    moment = 0
    while True:  # until no call is left at which to die
        moment += 1
        folder = tmp_path / str(moment)
        buffer, path = KINDS["whole"](), folder / "last.ckpt"
        play(buffer, 15, 0)
        save(buffer, path)
        old = buffer.state_dict()
        play(buffer, 4, 1)
        new = buffer.state_dict()
        error = Killed() if kind == "killed" else OSError(28, "No space left on device")
        with monkeypatch.context() as patch:
            calls = dying(patch, moment, error)
            with suppress(Killed, UserError, OSError):
                save(buffer, path)
        found = restored(path, KINDS["whole"]())
        state = found.state_dict()
        assert_same(state, new if state["position"] == new["position"] else old)
        play(found, 1, 2)
        save(found, path)  # the resumed run, in the same folder
        assert_same(restored(path, KINDS["whole"]()).state_dict(), found.state_dict())
        listed = torch.load(path, weights_only=True)["agent"]["buffer"]["segments"]
        assert set(segments(folder)) == {name for name, *_ in listed}  # what was left is gone
        if calls() < moment:
            break
    assert moment > 10


WRITER = """
import sys
from pathlib import Path
import torch
from dlmodules.checkpoints import replay_file
from tests.callbacks.run import test_replay_segments as t
replay_file.LARGE = 1
buffer = t.KINDS["whole"]()
for number in range(10**6):
    t.play(buffer, 4, number)
    t.save(buffer, Path(sys.argv[1]))
    print(number, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_while_it_writes_leaves_a_checkpoint_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < 12:
        pass
    time.sleep(0.017)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    found = restored(path, KINDS["whole"]())
    assert found.total % (4 * LANES) == 0
    unbroken = KINDS["whole"]()
    for number in range(found.total // (4 * LANES)):
        play(unbroken, 4, number)
    assert_same(found.state_dict(), unbroken.state_dict())


def test_a_partly_overwritten_segment_gives_no_frame_that_nothing_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "SHARED_FROM_BYTES", 1)
    buffer = KINDS["stacks"]()
    for number in range(40):
        play(buffer, 3, number)
        save(buffer, tmp_path / "last.ckpt")
    twin = restored(tmp_path / "last.ckpt", KINDS["stacks"]())
    stores = [one._observations for one in (buffer, twin)]
    assert all(isinstance(store, FrameStore) for store in stores)
    assert stores[0].num_frames == stores[1].num_frames
    assert twin.nbytes == buffer.nbytes
