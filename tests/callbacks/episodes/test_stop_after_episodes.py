import pytest
import torch

from callbacks import StopAfterEpisodes
from dlmodules.errors import UserError
from dlmodules.rl.base import Agent
from tests.callbacks.callback_toys import ToyVAE, loader, trainer
from tests.dlmodules.rl import agent_runs


class Walker(Agent):
    """Goes right and then, every other episode, down into the hole of QWorld."""

    def __init__(self, steps_per_iteration=1):
        super().__init__(steps_per_iteration)
        self.steps = 0
        self.register_buffer("table", torch.zeros(1))

    def explore(self, observation):
        self.steps += 1
        # Two steps to the goal, then three into the hole.
        return torch.tensor([[2, 2, 2, 1, 2][(self.steps - 1) % 5]])

    def observe(self, transition):
        pass

    def learn(self):
        return {}

    def configure_optimizers(self):
        return torch.optim.SGD([torch.zeros(0)], lr=0.0)

    def agent_state(self):
        return {**super().agent_state(), "steps": self.steps}

    def load_agent_state(self, state):
        super().load_agent_state(state)
        self.steps = state["steps"]


def qworld():
    return agent_runs.data(env_id="dlmodules/QWorld-v0", num_envs=1, total_steps=200, steps_per_epoch=200)


@pytest.mark.parametrize(("good_return", "steps"), [(None, 7), (100.0, 12)])
def test_a_run_ends_with_the_last_step_of_an_episode(good_return, steps):
    agent, callback = Walker(), StopAfterEpisodes(3, good_return)
    run = agent_runs.trainer(callbacks=[callback], limit_val_batches=0)
    run.fit(agent, qworld())
    assert agent.env_steps == steps
    assert run.callback_metrics["train/good_episodes"] == 3


def test_the_budget_may_end_it_before():
    agent = Walker()
    agent_runs.trainer(callbacks=[StopAfterEpisodes(1_000)], limit_val_batches=0).fit(agent, qworld())
    assert agent.env_steps == 200


def test_iterations_of_many_steps_are_counted_whole():
    agent = Walker(steps_per_iteration=20)
    callback = StopAfterEpisodes(10, good_return=100.0)
    agent_runs.trainer(callbacks=[callback], limit_val_batches=0).fit(agent, qworld())
    assert (agent.env_steps, callback.seen, callback.good) == (60, 24, 12)


def test_a_resumed_run_goes_on_counting_and_a_new_one_begins_anew(tmp_path):
    callback = StopAfterEpisodes(3, good_return=100.0)
    first = agent_runs.trainer(callbacks=[callback], limit_val_batches=0, max_steps=8)
    first.fit(Walker(), qworld())
    assert callback.good == 2
    first.save_checkpoint(tmp_path / "half.ckpt")
    agent = Walker()
    again = agent_runs.trainer(callbacks=[StopAfterEpisodes(3, good_return=100.0)], limit_val_batches=0)
    again.fit(agent, qworld(), ckpt_path=tmp_path / "half.ckpt")
    assert agent.env_steps == 12
    anew = agent_runs.trainer(callbacks=[callback], limit_val_batches=0)
    anew.fit(Walker(), qworld())
    assert callback.good == 3


def test_mistakes_are_told():
    with pytest.raises(UserError, match="episodes is 0"):
        StopAfterEpisodes(0)


def test_data_without_environments_is_refused(tmp_path):
    with pytest.raises(UserError, match="counts the episodes of an EnvironmentDataModule"):
        trainer(tmp_path, StopAfterEpisodes(1)).fit(ToyVAE(), loader())
