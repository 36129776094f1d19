"""The map of a policy over two numbers of an observation."""

import pytest
import torch

from callbacks import PolicyMap
from dlmodules.rl.a2c import A2C
from dlmodules.rl.reinforce import REINFORCE
from tests.dlmodules.rl import agent_runs


@pytest.mark.parametrize(
    ("cls", "env_id", "arguments", "titles"),
    [
        (A2C, "MountainCarContinuous-v0", {"observation_dim": 2, "action_dim": 1}, ["mean", "deviation", "value"]),
        (REINFORCE, "CartPole-v1", {}, ["best action", "its probability"]),
    ],
)
def test_a_picture_of_a_policy(tmp_path, cls, env_id, arguments, titles):
    callback = PolicyMap([-1.2, -0.07], [0.6, 0.07], size=5, names=["position", "speed"])
    trainer = agent_runs.trainer(default_root_dir=tmp_path, callbacks=[callback])
    agent = agent_runs.agent(cls=cls, **arguments)
    trainer.fit(agent, agent_runs.data(env_id=env_id, total_steps=256))
    assert list((tmp_path / "media").glob("policy_map*.png"))
    with torch.no_grad():
        states = callback.states(arguments.get("observation_dim", 4))
        panels = callback.panels(agent, states)
        assert [title for title, _ in panels] == titles
        if cls is A2C:
            torch.testing.assert_close(panels[0][1].clamp(-1, 1), agent.act(states)[:, 0])
