from types import SimpleNamespace

import pytest

from dlmodules.rl import progress
from dlmodules.rl.progress import Progress, env_steps_metrics, recent_episodes


def test_speed_counts_steps_since_the_last_look_without_what_was_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    clock = Progress()
    clock.start(1_000)  # a resumed run does not count the steps before it
    now[0] = 102.0
    clock.pause()
    now[0] = 150.0
    clock.go_on()
    now[0] = 152.0
    assert clock.speed(1_040) == 10.0
    now[0] = 153.0
    assert clock.speed(1_045) == 5.0


def test_there_are_no_means_before_an_episode_has_ended() -> None:
    assert recent_episodes(SimpleNamespace(recent_returns=[], recent_lengths=[])) == {}
    found = recent_episodes(SimpleNamespace(recent_returns=[1.0, 4.0], recent_lengths=[2, 3]))
    assert {name: value.item() for name, value in found.items()} == {"return": 2.5, "episode_length": 2.5}


def test_environment_steps_are_the_x_axis() -> None:
    assert env_steps_metrics(7) == {"step": 7.0, "env_steps": 7.0}
