import numpy as np
import pytest
import torch

from datamodules.environments.making import make_env
from datamodules.rollouts.policies import DRIVERS, make_policy
from datamodules.rollouts.store import Rollouts, RolloutSettings, play_rollouts
from dlmodules.errors import UserError
from dlmodules.protocols.driving_keys import actions_of, keys_of

MISSING = "Box2D is not installed: pip install -e '.[box2d]'"
CAR_RACING = "dlmodules/CarRacing-v0"


def ring(radius: float, places: int = 200) -> list[tuple[float, float, float, float]]:
    """Return a round track."""
    angles = np.arange(places) * 2 * np.pi / places
    return [(a, a, radius * np.cos(a), radius * np.sin(a)) for a in angles]


def test_a_bend_is_taken_as_fast_as_the_tyres_hold() -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    from datamodules.environments.racing.expert import GRIP, MARGIN, TOP_SPEED, racing_line, speeds

    line, spacing = racing_line(ring(40.0))
    # A rubber band on a ring lies at its inner edge.
    radius = np.linalg.norm(line, axis=1)
    np.testing.assert_allclose(radius, 40 - MARGIN, atol=0.01)
    np.testing.assert_allclose(speeds(line, spacing), np.sqrt(GRIP * (40 - MARGIN)), rtol=0.01)
    assert speeds(*racing_line(ring(400.0))).max() == TOP_SPEED


def test_it_brakes_before_a_bend() -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    from datamodules.environments.racing.expert import BRAKING, speeds

    # A square: four straights of 60 m in steps of 3 m, and four sharp corners.
    side, zero = np.arange(0, 60, 3.0), np.zeros(20)
    line = np.concatenate(
        [np.stack(pair, 1) for pair in ((side, zero), (zero + 60, side), (60 - side, zero + 60), (zero, 60 - side))]
    )
    found = speeds(line, np.full(80, 3.0))
    fastest = found[:20].argmax()
    slowing = np.diff(np.square(found[fastest:20]))
    np.testing.assert_allclose(slowing[:-1], -2 * BRAKING * 3.0, rtol=1e-6)


def test_it_laps_tracks_and_touches_every_tile(tmp_path) -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    settings = RolloutSettings(CAR_RACING, {"size": 16}, policy="expert", episodes=3, max_steps=1000)
    found = Rollouts(play_rollouts(settings, tmp_path))
    returns = [found.rewards[e, :length].sum() for e, length in enumerate(found.lengths)]
    # The last tile ends the episode, and pays with all others 1,000; each frame costs a tenth.
    assert [bool(found.ended[e, length - 1]) for e, length in enumerate(found.lengths)] == [True] * 3
    np.testing.assert_allclose(returns, 1000 - 0.1 * found.lengths, atol=0.2)
    assert min(returns) > 900


def test_keys_that_are_driven_by_are_the_keys_that_are_recorded(tmp_path) -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    settings = RolloutSettings(CAR_RACING, {"size": 16}, policy="expert_keys", episodes=1, max_steps=300)
    found = Rollouts(play_rollouts(settings, tmp_path))
    done = torch.from_numpy(np.array(found.actions[0]))
    assert torch.equal(actions_of(keys_of(done)), done)
    assert len(keys_of(done).unique()) >= 5
    assert found.rewards.sum() > 150


def test_each_expert_may_be_recorded(tmp_path) -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    driven = {}
    for policy in DRIVERS:
        settings = RolloutSettings(CAR_RACING, {"size": 16}, policy=policy, episodes=1, max_steps=200)
        driven[policy] = float(np.array(Rollouts(play_rollouts(settings, tmp_path)).actions).sum())
    assert len(set(driven.values())) == len(DRIVERS)


def test_an_expert_may_be_moved_off_his_line(tmp_path) -> None:
    pytest.importorskip("Box2D", reason=MISSING)

    def actions(spread, folder):
        settings = RolloutSettings(CAR_RACING, {"size": 16}, policy="expert", spread=spread, episodes=2, max_steps=40)
        return np.array(Rollouts(play_rollouts(settings, tmp_path / folder)).actions)

    alone, moved = actions(None, "one"), actions([0.4, 0.3, 0.1], "one")
    assert np.array_equal(moved, actions([0.4, 0.3, 0.1], "two"))
    assert np.array_equal(alone, actions([0.0, 0.0, 0.0], "two"))
    assert 0.1 < np.abs(moved - alone)[:, :, 0].mean() < 1.0
    assert np.abs(moved[0] - moved[1]).max() > 0.1  # each episode by a course of its own
    assert moved[:, :, 1:].min() >= 0
    assert np.abs(moved).max() <= 1
    with pytest.raises(UserError, match="policy_spread has 2 numbers, and an action has 3"):
        actions([0.4, 0.3], "two")


def test_other_environments_are_refused() -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    with pytest.raises(UserError, match="continuous actions"):
        make_policy("expert", make_env(CAR_RACING, {"continuous": False}, ()), 1)
    with pytest.raises(UserError, match="drives CarRacing"):
        make_policy("expert", make_env("CartPole-v1", {}, ()), 1)
