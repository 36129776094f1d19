from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.environments.lanes import EpisodeLanes, SteppedLanes, make_lanes
from datamodules.environments.making import make_env
from datamodules.environments.replay import SEED_RANGES
from dlmodules.errors import UserError
from dlmodules.protocols import PlaysEpisodes
from dlmodules.rl.evolution.cmaes import CMAES
from tests.dlmodules.rl.agent_runs import agent, data, trainer

SEEDS = [11, 5, 11, 7, 2**30]
SLOPES = torch.tensor([[0.0, 0.0, 1.0, 0.1], [0.0, 0.0, -1.0, 0.0], [0.1, 0.5, 1.0, 1.0]])
cartpole = partial(make_env, "CartPole-v1", {}, ())


def act(observation: Tensor, episode: Tensor) -> Tensor:
    """Episodes differ by their policies, as those of candidates do."""
    return ((observation * SLOPES[episode % 3]).sum(1) > 0).long()


def one_after_another() -> tuple[list[float], list[int]]:
    env, returns, lengths = cartpole(), [], []
    for number, seed in enumerate(SEEDS):
        observation, _ = env.reset(seed=seed)
        total, length, ended = 0.0, 0, False
        while not ended:
            action = act(torch.from_numpy(observation)[None], torch.tensor([number]))
            observation, reward, terminated, truncated, _ = env.step(int(action))
            total, length, ended = total + float(reward), length + 1, terminated or truncated
        returns.append(total)
        lengths.append(length)
    return returns, lengths


@pytest.mark.parametrize(("num_envs", "vectorization"), [(1, "sync"), (2, "sync"), (5, "sync"), (8, "sync")])
def test_each_seed_plays_its_episode_however_many_lanes_there_are(num_envs: int, vectorization: Any) -> None:
    lanes = make_lanes(cartpole, 0, num_envs, vectorization)
    assert isinstance(lanes, PlaysEpisodes)
    returns, lengths = one_after_another()
    for _ in range(2):  # it leaves nothing behind
        played = lanes.play(act, SEEDS)
        assert played.returns.tolist() == returns
        assert played.lengths.tolist() == lengths
        assert played.ended.all()
    assert lanes.episodes == 10
    assert sorted(lanes.recent_returns) == sorted(2 * returns)
    assert sorted(lanes.recent_lengths) == sorted(2 * lengths)
    lanes.close()


@pytest.mark.slow
@pytest.mark.parametrize("num_envs", [2, 6])
def test_processes_play_the_same(num_envs: int) -> None:
    lanes = make_lanes(cartpole, 0, num_envs, "async")
    played, (returns, lengths) = lanes.play(act, SEEDS), one_after_another()
    assert played.returns.tolist() == returns
    assert played.lengths.tolist() == lengths
    cut = lanes.play(act, SEEDS, max_steps=17)
    assert cut.lengths.sum() == 17
    assert not cut.ended.all()
    lanes.close()


def test_who_has_ended_stands_still() -> None:
    steps = []

    class Counts(gym.Wrapper[Any, Any, Any, Any]):
        def step(self, action: Any) -> Any:
            steps.append(1)
            return super().step(action)

    played = make_lanes(lambda: Counts(cartpole()), 0, 5, "sync").play(act, SEEDS)
    assert len(steps) == played.lengths.sum() < 5 * played.lengths.max()


def test_the_numbers_are_the_same_tensor_while_the_same_episodes_run() -> None:
    seen: list[Tensor] = []

    def watched(observation: Tensor, episode: Tensor) -> Tensor:
        seen.append(episode)
        return act(observation, episode)

    make_lanes(cartpole, 0, 2, "sync").play(watched, SEEDS)
    changes = sum(one is not other for one, other in pairwise(seen))
    assert changes <= len(SEEDS)
    assert all((one is other) == torch.equal(one, other) for one, other in pairwise(seen))


@pytest.mark.parametrize("max_steps", [1, 7, 50])
def test_the_budget_is_kept_to_the_step(max_steps: int) -> None:
    played = make_lanes(cartpole, 0, 3, "sync").play(act, SEEDS, max_steps)
    assert played.lengths.sum() == max_steps
    assert not played.ended.all()
    assert (played.returns == played.lengths).all()


def test_seeds_are_of_training_and_none_comes_twice() -> None:
    lanes, again, other = (make_lanes(cartpole, seed, 1, "sync") for seed in (0, 0, 1))
    seeds = lanes.next_seeds(50) + lanes.next_seeds(50)
    assert len(set(seeds)) == 100
    low, high = SEED_RANGES["train"]
    assert low <= min(seeds) <= max(seeds) < high
    assert again.next_seeds(100) == seeds
    assert not set(other.next_seeds(100)) & set(seeds)


def test_it_goes_on_where_its_state_was_taken() -> None:
    lanes, resumed = make_lanes(cartpole, 0, 2, "sync"), make_lanes(cartpole, 0, 3, "sync")
    lanes.play(act, lanes.next_seeds(4))
    resumed.load_state_dict(lanes.state_dict())
    assert resumed.next_seeds(3) == lanes.next_seeds(3)
    assert resumed.episodes == 4
    assert resumed.state_dict()["recent_returns"] == lanes.state_dict()["recent_returns"]
    with pytest.raises(UserError, match="not those of whole episodes"):
        resumed.load_state_dict({"envs": []})


def test_a_return_that_is_no_number_is_refused() -> None:
    make = partial(make_env, "CartPole-v1", {}, [partial(gym.wrappers.TransformReward, func=lambda _: float("nan"))])
    with pytest.raises(UserError, match="return of nan"):
        make_lanes(make, 0, 2, "sync").play(act, SEEDS)


def test_observations_have_the_dtype_of_their_space() -> None:
    lanes = make_lanes(partial(make_env, "Pendulum-v1", {}, ()), 0, 2, "sync")
    dtypes = set()

    def push(observation: Tensor, episode: Tensor) -> Tensor:
        dtypes.add(observation.dtype)
        return torch.zeros(len(observation), 1)

    played = lanes.play(push, [1, 2, 3], max_steps=300)
    assert dtypes == {torch.float32}
    assert played.returns.dtype == np.float64


def test_the_data_module_gives_lanes_to_who_plays_whole_episodes(tmp_path: Path) -> None:
    environments = data(total_steps=200)
    trainer(limit_val_batches=0).fit(agent(cls=CMAES), environments)
    assert environments.state_dict()["train_envs"]["seeds"] > 0
    fitted = data(total_steps=200)
    trained = trainer(limit_val_batches=0, max_steps=1)

    class Looks(CMAES):
        def on_train_end(self) -> None:
            assert isinstance(self.environments.train_envs, SteppedLanes)
            assert isinstance(self.environments.train_envs, EpisodeLanes)

    trained.fit(agent(cls=Looks), fitted)


def test_other_vectorizations_are_refused_in_a_line() -> None:
    environments = data(env_id="FrozenLake-v1", vectorization="table", wrappers=[])
    module = agent(cls=CMAES, network=torch.nn.Embedding(16, 4), num_actions=4)
    with pytest.raises(UserError, match="CMAES plays whole episodes of seeds that it is given: set vectorization to"):
        trainer().fit(module, environments)
