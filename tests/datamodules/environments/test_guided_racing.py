from typing import Any

import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.making import make_env
from datamodules.environments.racing.expert import RacingExpert
from dlmodules.errors import UserError
from dlmodules.protocols import AsksExpert
from dlmodules.protocols.driving_keys import KEYS

MISSING = "Box2D is not installed: pip install -e '.[box2d]'"
CAR_RACING = "dlmodules/CarRacing-v0"


def guided(expert: str = "wheel") -> Any:
    pytest.importorskip("Box2D", reason=MISSING)
    return make_env(CAR_RACING, {"size": 16, "expert": expert}, ())


def test_the_expert_is_asked_about_what_is_seen_now() -> None:
    env, plain = guided(), make_env(CAR_RACING, {"size": 16}, ())
    seen, _ = env.reset(seed=1)
    frame, _ = plain.reset(seed=1)
    driver = RacingExpert(plain)
    for _ in range(60):
        wanted = env.get_wrapper_attr("expert_action")
        assert np.array_equal(wanted, driver.act())
        assert np.array_equal(seen, frame)
        # Another driver than the expert, whom it is to follow all the same.
        action = np.array([0.2, 1.0, 0.0], np.float32)
        seen, reward, *_ = env.step(action)
        frame, other, *_ = plain.step(action)
        assert reward == other
    assert wanted[0] != 0


def test_who_drives_by_keys_asks_for_keys() -> None:
    env = guided("keys")
    env.reset(seed=1)
    for _ in range(60):
        action = env.get_wrapper_attr("expert_action")
        assert action.tolist() in np.array(KEYS, np.float32).tolist()
        env.step(action)


def test_the_plain_game_has_no_expert_and_a_wrong_one_is_named() -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    data = EnvironmentDataModule(
        CAR_RACING, num_envs=2, env_kwargs={"size": 16}, train_env_kwargs={"expert": "wheel"}, eval_episodes=1
    )
    envs = data.train_envs
    assert isinstance(envs, AsksExpert)
    assert envs.expert_actions().shape == (2, 3)
    [held_out] = data.evaluation_envs("val")
    assert not hasattr(held_out.unwrapped, "expert_action")
    with pytest.raises(UserError, match="expert is 'wheal': choose one of wheel, calm, keys"):
        guided("wheal")


def test_a_run_that_goes_on_asks_the_same_expert() -> None:
    pytest.importorskip("Box2D", reason=MISSING)

    def stream() -> Any:
        arguments: dict[str, Any] = {"env_kwargs": {"size": 16}, "train_env_kwargs": {"expert": "wheel"}}
        return EnvironmentDataModule(CAR_RACING, num_envs=1, **arguments).train_envs

    first, second = stream(), stream()
    for _ in range(80):
        first.step(first.expert_actions())
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        wanted = first.expert_actions()
        assert torch.equal(second.expert_actions(), wanted)
        first.step(wanted)
        second.step(wanted)


def test_the_calm_expert_gets_around_in_time_and_no_faster_than_it_may() -> None:
    env = guided("calm")
    env.reset(seed=1)
    returned, over, fastest = 0.0, False, 0.0
    while not over:
        _, reward, ended, truncated, _ = env.step(env.get_wrapper_attr("expert_action"))
        returned, over = returned + float(reward), ended or truncated
        fastest = max(fastest, env.unwrapped.car.hull.linearVelocity.length)
    assert returned > 890
    assert 70 < fastest < 85
