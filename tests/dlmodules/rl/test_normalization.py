"""Statistics of observations and rewards: exact, of training alone, in checkpoints and in what is exported."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from dlmodules.checkpoints.hparams import constructor_arguments
from dlmodules.errors import UserError
from dlmodules.rl.dqn import DQN
from dlmodules.rl.networks import MLPQNetwork
from dlmodules.rl.normalization import NormalizedNetwork, ObservationNormalizer, RewardNormalizer, RunningMoments
from dlmodules.rl.pqn import PQN
from dlmodules.rl.semi_gradient import SemiGradientQLearning
from tests.dlmodules.rl import known_environments, probe_environments
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything

known_environments.register()
probe_environments.register()

BOTH = {"normalize_observations": True, "normalize_rewards": True}
EPOCHS = {DQN: {}, PQN: {"epochs": 1}}
EPSILON = 1e-8


@pytest.mark.parametrize("sizes", [(1,) * 40, (3, 1, 200, 7), (500,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_moments_are_those_of_all_values_at_once(sizes: tuple[int, ...], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    batches = [(rng.normal(1e6, 1e3, (size, 2, 3)) if dtype != np.uint8 else rng.integers(256, size=(size, 2, 3)))
               .astype(dtype) for size in sizes]  # fmt: skip
    moments = RunningMoments((2, 3))
    for batch in batches:
        moments.update(torch.from_numpy(batch))
    values = np.concatenate(batches).astype(np.float64)
    assert int(moments.count) == len(values)
    np.testing.assert_allclose(moments.mean, values.mean(0), rtol=1e-10)
    np.testing.assert_allclose(moments.variance, values.var(0), rtol=1e-10)


def test_observations_are_centred_scaled_and_clipped() -> None:
    normalizer = ObservationNormalizer((2,), clip=2.0)
    seen = torch.tensor([[1000.0, 5.0], [3000.0, 5.0]])
    assert normalizer(seen).tolist() == [[2.0, 2.0], [2.0, 2.0]]  # as they are before anything is known, but clipped
    normalizer.update(seen)
    found = normalizer(torch.tensor([[3000.0, 5.0], [2500.0, 6.0], [-9000.0, 5.0]]))
    assert found.tolist() == pytest.approx(np.array([[1.0, 0.0], [0.5, 2.0], [-2.0, 0.0]]))
    assert found.dtype == torch.float32
    assert ObservationNormalizer((1,), clip=None)(torch.tensor([[1e6]])).item() == 1e6
    with pytest.raises(UserError, match="clip is 0"):
        ObservationNormalizer((2,), clip=0)


def test_rewards_are_divided_by_the_deviation_of_each_environments_return() -> None:
    rng, gamma = np.random.default_rng(0), 0.9
    rewards, ended = rng.normal(3.0, 50.0, (200, 3)).astype(np.float32), rng.random((200, 3)) < 0.1
    normalizer = RewardNormalizer(gamma, clip=None)
    running, returns = np.zeros(3), []
    for reward, end in zip(rewards, ended, strict=True):
        normalizer.update(torch.from_numpy(reward), torch.from_numpy(end))
        running = gamma * running + reward
        returns.append(running)
        running = np.where(end, 0, running)
    deviation = np.sqrt(np.var(returns) + EPSILON)
    found = normalizer(torch.from_numpy(rewards[:2]))
    np.testing.assert_allclose(found, rewards[:2] / deviation, rtol=1e-6)
    assert normalizer.moments.deviation.item() == pytest.approx(deviation, rel=1e-10)
    normalizer.update(torch.zeros(5), torch.zeros(5, dtype=torch.bool))  # another run has another number of them
    assert normalizer.returns.shape == (5,)


@pytest.mark.parametrize("cls", [DQN, PQN])
def test_each_observation_of_training_counts_once_and_evaluation_moves_nothing(cls: Any) -> None:
    seen: list[torch.Tensor] = []

    class Watched(cls):
        def observe(self, transition: Any) -> None:
            seen.append(transition.observation.clone())
            super().observe(transition)

    module, environments, run = agent(cls=Watched, **BOTH, **EPOCHS[cls]), data(), trainer()
    run.fit(module, environments)  # with validations in between
    observations = torch.cat(seen).double().numpy()
    normalizer = module.network.normalizer
    assert int(normalizer.count) == len(observations) == module.env_steps == 800
    np.testing.assert_allclose(normalizer.mean, observations.mean(0), rtol=1e-10)
    np.testing.assert_allclose(normalizer.variance, observations.var(0), rtol=1e-10)
    assert int(module.reward_normalizer.moments.count) == 800
    if cls is DQN:
        assert_same(module.target_network.normalizer.state_dict(), normalizer.state_dict())
        assert torch.equal(module.buffer.state_dict()["observation"][:4], seen[150])  # as it was seen
    before = {name: value.clone() for name, value in module.state_dict().items()}
    run.validate(module, environments, verbose=False)
    run.test(module, environments, verbose=False)
    module.act(torch.full((7, 4), 1e5))
    assert_same(module.state_dict(), type(module.state_dict())(before))


def test_an_iteration_acts_and_learns_by_the_same_statistics() -> None:
    moments: list[tuple[str, float]] = []

    class Watched(PQN):
        def explore(self, observation: torch.Tensor) -> torch.Tensor:
            moments.append(("acts", float(self.network.normalizer.mean[0])))
            return super().explore(observation)

        def learn(self) -> dict[str, torch.Tensor]:
            moments.append(("learns", float(self.network.normalizer.mean[0])))
            return super().learn()

    trainer(limit_val_batches=0).fit(agent(cls=Watched, **BOTH), data(total_steps=96))
    means = [mean for _, mean in moments]
    assert [name for name, _ in moments] == [*["acts"] * 8, "learns"] * 3
    assert [len(set(means[start : start + 9])) for start in (0, 9, 18)] == [1, 1, 1]
    assert len(set(means)) == 3
    assert means[0] == 0


@pytest.mark.parametrize("cls", [DQN, PQN])
def test_a_resumed_run_has_the_same_statistics(cls: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.ckpt"
    unbroken = trainer(callbacks=[SaveAt(path, 13, "train_batch")])
    module, environments = agent(cls=cls, **BOTH, **EPOCHS[cls]), data()
    unbroken.fit(module, environments)
    resumed, new_module, new_environments = trainer(), agent(seed=5, cls=cls, **BOTH, **EPOCHS[cls]), data()
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))
    loaded = cls.load_from_checkpoint(path, weights_only=True)
    assert int(loaded.network.normalizer.count) == 13 * 32


def test_nothing_is_added_where_it_is_off() -> None:
    for cls in (DQN, PQN):
        assert not [name for name in agent(cls=cls).state_dict() if "normalizer" in name]


def test_a_shape_that_does_not_fit_is_one_line() -> None:
    with pytest.raises(UserError, match=r"does not take observations of shape \(5,\).*set observation_dim=5"):
        trainer().fit(agent(**BOTH), data(env_id="KnownCorridor-v0"))


def test_what_is_exported_takes_raw_observations(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from dlmodules_cli.export import export_onnx

    module = agent(**BOTH).eval()
    raw = 1000 * torch.randn(400, 4) + 5000
    for network in (module.network, module.target_network):
        network.normalizer.update(raw)
    export_onnx(module, tmp_path / "policy.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "policy.onnx"), providers=["CPUExecutionProvider"])
    (action,) = session.run(None, {"observation": raw.numpy()})
    assert np.array_equal(action, module.act(raw).numpy())
    assert 0 < action.sum() < 400  # without the normalizer it would be one action for all
    assert len(module.network.network(raw).argmax(1).unique()) == 1


def far_away(env: gym.Env) -> gym.Env:
    """Observations of a scale of a thousand, far from 0."""
    space = gym.spaces.Box(-np.inf, np.inf, env.observation_space.shape, np.float32)
    return gym.wrappers.TransformObservation(env, lambda x: (1e3 * x + 5e4).astype(np.float32), space)


def values_of_two_states(cls: Any, **arguments: Any) -> list[float]:
    """Return the best values of two states, which are worth -1 and 1, after a short run on observations far away."""
    defaults: dict[str, Any] = {"hidden_dims": (32,), "steps_per_iteration": 32, "learning_starts": 32}
    taken = {name: value for name, value in defaults.items() if name in constructor_arguments(cls)}
    module = agent(cls=cls, observation_dim=2, optimizer=adam, **taken, **arguments)
    run = {"env_id": "ProbeValueByObservation-v0", "wrappers": [far_away], "total_steps": 640, "steps_per_epoch": 640}
    trainer(limit_val_batches=0).fit(module, data(**run))
    with torch.no_grad():
        values: list[float] = module.eval()(1e3 * torch.eye(2) + 5e4).amax(1).tolist()
    return values


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=1e-2)


@pytest.mark.learning
@pytest.mark.parametrize("cls", [DQN, PQN])
def test_observations_far_away_are_learnt_from_with_it_and_not_without(cls: Any) -> None:
    assert values_of_two_states(cls, normalize_observations=True) == pytest.approx([-1, 1], abs=0.15)
    assert values_of_two_states(cls) != pytest.approx([-1, 1], abs=0.6)


def test_a_network_that_is_given_has_its_statistics_kept_by_any_agent() -> None:
    network = NormalizedNetwork(MLPQNetwork(2, 2, (32,)), (2,))
    assert values_of_two_states(SemiGradientQLearning, network=network) == pytest.approx([-1, 1], abs=0.15)
    assert int(network.normalizer.count) == 640
