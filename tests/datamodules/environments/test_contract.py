"""Environments that break Gymnasium's contract, or that an agent cannot take: right all the same, or one clear line."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.table_env import TableEnv
from dlmodules.errors import UserError
from dlmodules.rl.dqn import DQN
from dlmodules.rl.evaluation import play_episodes
from dlmodules.rl.pqn import PQN
from dlmodules.rl.semi_gradient import SemiGradientQLearning, SemiGradientSarsa
from dlmodules.rl.semi_gradient_td import SemiGradientTD
from dlmodules.rl.tabular.double_q import DoubleQLearning
from dlmodules.rl.tabular.monte_carlo import MonteCarloControl
from dlmodules.rl.tabular.q_learning import QLearning
from dlmodules.rl.tabular.td_prediction import TDPrediction
from dlmodules.rl.tabular.value_iteration import ValueIteration
from dlmodules_cli.main import main
from tests.dlmodules.rl.agent_runs import agent, data, trainer


class Careless(gym.Env):
    """Counts its steps, nine an episode, and shows their number; ``fault`` says what is wrong with it."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.observation_space: Any = gym.spaces.Box(0.0, 9.0, (2,), np.float32)
        self.action_space = gym.spaces.Discrete(2, start=int(fault == "actions from 1"))
        if fault == "states from 1":
            self.observation_space = gym.spaces.Discrete(4, start=1)
        if fault == "a picture":
            self.observation_space = gym.spaces.Box(0, 255, (20, 20, 3), np.uint8)
        self.array = np.zeros(2, np.float32)
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        bad = {"nan reward": np.nan, "infinite reward": -np.inf}.get(self.fault, 1.0)
        return self._observation(), bad if self.steps == 5 else 1.0, self.steps == 9, False, {}

    def _observation(self) -> Any:
        if self.fault == "nan observation":
            return np.array([self.steps, np.nan if self.steps >= 5 else 0], np.float32)
        if self.fault == "float64":
            return np.full(2, float(self.steps))
        if self.fault == "a list":
            return [float(self.steps)] * 2
        if self.fault == "another shape":
            return np.zeros(3, np.float32)
        self.array[:] = self.steps
        return self.array if self.fault == "one array" else self.array.copy()


gym.register("Careless-v0", entry_point=Careless)


def careless(fault: str, **arguments: Any) -> EnvironmentDataModule:
    return data(env_id="Careless-v0", env_kwargs={"fault": fault}, **arguments)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("fault", ["float64", "a list", "one array"])
def test_what_can_be_put_right_is(fault: str, num_envs: int) -> None:
    """A replay holds what was seen at each step, in the dtype that is declared."""
    source = careless(fault, num_envs=num_envs, total_steps=72, steps_per_epoch=72)
    module = agent(cls=DQN, observation_dim=2, steps_per_iteration=12, learning_starts=24)
    trainer().fit(module, source)  # with validation
    kept = module.buffer.state_dict()
    number = torch.arange(72) // num_envs % 9
    for name, expected in (("observation", number), ("next_observation", number + 1)):
        assert kept[name].dtype == torch.float32
        assert torch.equal(kept[name], expected.float()[:, None].expand(72, 2))

    def act(observation: torch.Tensor) -> torch.Tensor:
        assert observation.dtype == torch.float32
        return torch.zeros(len(observation), dtype=torch.int64)

    returns, lengths = play_episodes(act, [source.make_env()], [0, 1])
    assert returns.tolist() == lengths.tolist() == [9, 9]


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize(("fault", "paid"), [("nan reward", "nan"), ("infinite reward", "-inf")])
def test_a_reward_that_is_no_number_ends_it(fault: str, paid: str, num_envs: int) -> None:
    stream = careless(fault, num_envs=num_envs).train_envs
    for _ in range(4):
        stream.step(torch.zeros(num_envs, dtype=torch.int64))
    with pytest.raises(UserError, match=f"an environment paid a reward of {paid}: it must be a finite number"):
        stream.step(torch.zeros(num_envs, dtype=torch.int64))
    with pytest.raises(UserError, match=f"an episode has a return of {paid}: the environment pays what is not"):
        trainer().validate(agent(observation_dim=2), careless(fault), verbose=False)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_an_observation_that_is_no_number_ends_it(num_envs: int) -> None:
    module = agent(cls=DQN, observation_dim=2, steps_per_iteration=5 * num_envs)
    with pytest.raises(UserError, match="returned an observation with nan in it: all must be finite numbers"):
        trainer().fit(module, careless("nan observation", num_envs=num_envs))


def test_an_observation_of_another_shape_is_named() -> None:
    with pytest.raises(UserError, match=r"an observation of shape \(3,\), and declares Box\(0.0, 9.0, \(2,\), float32"):
        trainer(num_sanity_val_steps=1).fit(agent(observation_dim=2), careless("another shape"))


def test_large_rewards_are_numbers() -> None:
    envs = data(wrappers=[huge], num_envs=2).train_envs
    assert envs.step_states(np.zeros(2, dtype=np.int64)).reward.tolist() == [1e200, 1e200]  # though not their squares


def huge(env: gym.Env) -> gym.Env:
    return gym.wrappers.TransformReward(env, lambda _: 1e200)


NETWORKS = (DQN, PQN, SemiGradientQLearning, SemiGradientSarsa, SemiGradientTD)
TABLES = (QLearning, MonteCarloControl, TDPrediction, ValueIteration)


@pytest.mark.parametrize("cls", NETWORKS, ids=lambda cls: cls.__name__)
def test_an_agent_of_numbered_actions_takes_no_others(cls: Any) -> None:
    with pytest.raises(UserError, match=r"^Pendulum-v1 has actions Box\(.*\), and this agent needs discrete ones: .*$"):
        trainer().fit(agent(cls=cls, observation_dim=3), data(env_id="Pendulum-v1"))
    with pytest.raises(UserError, match=r"^Careless-v0 numbers its actions from 1; wrap it so that they start at 0$"):
        trainer().fit(agent(cls=cls, observation_dim=2), careless("actions from 1"))
    with pytest.raises(UserError, match=r"^the .*(not \(3,\)| actions): set num_actions=3$"):
        trainer().fit(agent(cls=cls, observation_dim=6), data(env_id="Acrobot-v1"))


@pytest.mark.parametrize("cls", TABLES, ids=lambda cls: cls.__name__)
def test_a_table_takes_numbered_observations_alone(cls: Any) -> None:
    with pytest.raises(UserError, match=r"^CartPole-v1 has .* numbered ones: add .*Discretize to wrappers, or choose"):
        trainer().fit(agent(cls=cls), data())
    with pytest.raises(UserError, match=r"^Careless-v0 has observations Box\(0, 255.*: wrap it so that they are, or"):
        trainer().fit(agent(cls=cls), careless("a picture"))
    with pytest.raises(UserError, match=r"^Careless-v0 numbers its observations from 1; wrap it so that they start at"):
        trainer().fit(agent(cls=cls), careless("states from 1"))
    with pytest.raises(UserError, match=r"^Careless-v0 numbers its observations from 1;"):
        trainer().fit(agent(cls=cls, num_states=4, num_actions=2), careless("states from 1"))


@pytest.mark.parametrize("cls", [*TABLES, DoubleQLearning], ids=lambda cls: cls.__name__)
def test_a_table_that_the_memory_does_not_hold_is_refused_before_it_is_made(cls: Any) -> None:
    size = "29,802" if cls is DoubleQLearning else "14,901"
    message = (
        rf"^a table of 1,000,000,000,000 states by 2 actions takes {size} GiB, and this machine has \d+: number fewer"
    )
    with pytest.raises(UserError, match=message):
        cls(num_states=10**12, num_actions=2)


def test_a_table_of_transitions_with_rewards_that_are_no_numbers_is_refused() -> None:
    table = [[[(1.0, 0, float("nan"), True)]]]
    gym.register("NoReward-v0", lambda **_: TableEnv(table, 0))
    with pytest.raises(UserError, match="NoReward-v0: P has rewards that are not finite numbers"):
        _ = EnvironmentDataModule("NoReward-v0").transitions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--model", "DQN", "--model.observation_dim", "2", "--data.env_kwargs.fault", "nan reward"],
            "a return of nan",
        ),
        (["--model", "QLearning", "--data.env_kwargs.fault", "a picture"], "or choose an agent with a network"),
        (["--model", "QLearning", "--model.num_states", "1000000000000"], "a table of 1,000,000,000,000 states"),
    ],
)
def test_the_command_ends_in_one_line_and_code_2(
    options: list[str], message: str, tmp_path: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = ["--data", "EnvironmentDataModule", "--data.env_id", "Careless-v0", "--data.env_kwargs", "{}"]
    with pytest.raises(SystemExit) as caught:
        main(["fit", *options[:2], *environment, *options[2:], "--trainer.default_root_dir", str(tmp_path)])
    assert caught.value.code == 2
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error")]
    assert message in line
