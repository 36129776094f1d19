import gymnasium as gym
import pytest

from datamodules import EnvironmentDataModule
from datamodules.environments.limits import TimeLimitIsFailure


def last_step(max_episode_steps: int, **arguments: float) -> tuple[int, float, bool, bool]:
    env = TimeLimitIsFailure(gym.make("CartPole-v1", max_episode_steps=max_episode_steps), **arguments)
    env.reset(seed=0)
    rewards, terminated, truncated = [], False, False
    while not (terminated or truncated):
        _, reward, terminated, truncated, _ = env.step(1)
        rewards.append(reward)
    assert rewards[:-1] == [1.0] * (len(rewards) - 1)
    return len(rewards), rewards[-1], terminated, truncated


@pytest.mark.parametrize(("limit", "steps"), [(5, 5), (100, 8)])
def test_a_cut_and_a_fall_are_the_same(limit: int, steps: int) -> None:
    assert last_step(limit) == (steps, -1.0, True, False)
    assert last_step(limit, reward=-7.0) == (steps, -7.0, True, False)


def test_it_is_named_among_the_wrappers() -> None:
    wrapper = {"class_path": "datamodules.environments.limits.TimeLimitIsFailure", "init_args": {"reward": -2.0}}
    data = EnvironmentDataModule("CartPole-v1", wrappers=[wrapper], env_kwargs={"max_episode_steps": 3}, num_envs=2)
    for _ in range(2):
        step = data.train_envs.step(data.train_envs.observation[:, 0].long() * 0)
        assert not step.ended.any()
    step = data.train_envs.step(step.action)
    assert step.terminated.all()
    assert not step.truncated.any()
    assert step.reward.tolist() == [-2.0, -2.0]
