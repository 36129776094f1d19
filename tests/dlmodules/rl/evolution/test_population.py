from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from datamodules.environments.replay import episode_seed
from dlmodules import CMAES, GeneticAlgorithm, OpenAIES
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, HasPopulation
from dlmodules.rl.evaluation import play_episodes
from tests.dlmodules.rl.agent_runs import agent, data, trainer

POPULATIONS = [CMAES, OpenAIES, GeneticAlgorithm]
SMALL: dict[str, Any] = {"population_size": 4, "hidden_dims": (), "generations_per_epoch": 3}


def population(cls: Any = CMAES, seed: int = 0, **arguments: Any) -> Any:
    own = {"parents": 2, "elites": 1, "elite_episodes": 1} if issubclass(cls, GeneticAlgorithm) else {}
    return agent(seed, cls, **{**SMALL, **own, **arguments})


class Keeps(CMAES):
    """Keeps what it was told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told: list[tuple[Tensor, Tensor]] = []

    def tell(self, candidates: Tensor, fitness: Tensor) -> dict[str, Tensor]:
        self.told.append((candidates, fitness))
        return super().tell(candidates, fitness)


@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("num_envs", [1, 3, 8])
def test_fitness_is_the_mean_return_of_each_candidate_alone(common: bool, num_envs: int) -> None:
    module, environments = population(Keeps, episodes_per_candidate=2, common_seeds=common), data(num_envs=num_envs)
    trainer(limit_val_batches=0, max_steps=2).fit(module, environments)
    first = 0
    for candidates, fitness in module.told:
        for number, (weights, value) in enumerate(zip(candidates, fitness, strict=True)):
            numbers = [first, first + 1] if common else [first + number, first + 4 + number]
            seeds = [episode_seed("train", 0, at) for at in numbers]
            module.set_weights(weights)
            returns, _ = play_episodes(module.act, [environments.make_env()], seeds)
            assert returns.mean() == value
        first += 2 if common else 8


def test_all_steps_count_and_the_budget_is_kept_to_the_step() -> None:
    module, environments = population(Keeps), data(total_steps=300)
    trained = trainer(limit_val_batches=0)
    trained.fit(module, environments)
    assert module.env_steps == 300
    learnt = sum(int(4 * fitness.mean()) for _, fitness in module.told)  # a step pays 1
    assert 0 < learnt < 300  # the last generation was cut, and is not learnt from
    assert trained.global_step == len(module.told) + 1
    assert module.population() is None
    torch.testing.assert_close(module.weights, module.search.mean.float())


@pytest.mark.parametrize("cls", POPULATIONS, ids=lambda cls: cls.__name__)
def test_a_generation_is_a_training_step_and_an_epoch_so_many(cls: type) -> None:
    module, trained = population(cls), trainer(max_epochs=2, log_every_n_steps=1)
    assert isinstance(module, HasPopulation)
    assert isinstance(module, Acts)
    assert module.population() is None
    trained.fit(module, data(total_steps=100_000))
    assert trained.global_step == 6
    assert module.generation == 6 if cls is not CMAES else module.search.generation == 6
    candidates, fitness, weights = module.population()
    assert candidates.shape == (4, 10)
    assert fitness.shape == (4,)
    assert torch.equal(weights, module.weights)
    logged = trained.callback_metrics
    assert {"val/return", "train/fitness_mean", "train/fitness_best", "train/fitness_std", "train/sigma"} <= set(logged)
    assert logged["train/fitness_best"] == fitness.max()
    assert logged["train/generation"] == 6


@pytest.mark.parametrize("cls", POPULATIONS, ids=lambda cls: cls.__name__)
def test_the_same_seed_does_the_same_and_another_does_not(cls: Any) -> None:
    def weights(seed: int) -> Tensor:
        module = population(cls, seed)
        trainer(limit_val_batches=0, max_steps=3).fit(module, data())
        return module.weights

    first, again, other = (weights(seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("cls", POPULATIONS, ids=lambda cls: cls.__name__)
def test_continuous_actions_lie_between_the_bounds(cls: Any) -> None:
    module = population(cls, observation_dim=3, action_dim=1, population_size=2)
    environments = data(env_id="Pendulum-v1", total_steps=900, num_envs=2)
    trainer(limit_val_batches=0).fit(module, environments)
    module.set_weights(torch.tensor([9.0, 0.0, 0.0, 0.0]))
    found = module.act(torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([[2.0], [-2.0], [0.0]]), atol=1e-5, rtol=0)
    assert torch.equal(module(torch.ones(2, 3)), module.act(torch.ones(2, 3)))
    again = type(module)(**{name: value for name, value in module.hparams.items() if not name.startswith("_")})
    again.load_state_dict(module.state_dict())
    assert torch.equal(again.act(torch.ones(2, 3)), module.act(torch.ones(2, 3)))


def test_observations_are_normalized_by_what_all_candidates_saw() -> None:
    module = population(Keeps, normalize_observations=True)
    trainer(limit_val_batches=0, max_steps=2).fit(module, data())
    assert module.normalizer.count == module.env_steps
    assert module.normalizer.mean.abs().max() > 0
    torch.testing.assert_close(module(torch.ones(1, 4)), module.network(module.normalizer(torch.ones(1, 4))))
    before = module.normalizer.count.clone()
    trainer().validate(module, data())
    assert torch.equal(before, module.normalizer.count)


def test_any_network_that_vmap_takes_will_do() -> None:
    network = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    module = population(Keeps, network=network)
    trainer(limit_val_batches=0, max_steps=2).fit(module, data())
    candidates, _ = module.told[-1]
    vector_to_parameters(candidates[0].float(), network.parameters())
    assert len(candidates[0]) == 4 * 3 + 3 + 6 + 3 * 2 + 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"population_size": 1}, "population_size is 1; it must be at least 2"),
        ({"sigma": 0.0}, "sigma is 0.0; it must be more than 0"),
        ({"episodes_per_candidate": 0}, "episodes_per_candidate is 0; it must be at least 1"),
        ({"generations_per_epoch": 0}, "generations_per_epoch is 0; it must be at least 1"),
        ({"network": nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2))}, r"has batch norm \(1\)"),
    ],
)
@pytest.mark.parametrize("cls", POPULATIONS, ids=lambda cls: cls.__name__)
def test_bad_arguments_are_refused_in_a_line(cls: type, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        population(cls, **arguments)


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ({}, "Pendulum-v1", r"the actions are Box\(-2.0, 2.0, .*\): set action_dim=1"),
        ({"num_actions": 3}, "CartPole-v1", "there are 2 actions: set num_actions=2"),
        (
            {"action_dim": 1},
            "CartPole-v1",
            r"the actions are Discrete\(2\): leave out action_dim, and set num_actions=2",
        ),
        ({"observation_dim": 3, "action_dim": 2}, "Pendulum-v1", "an action has 1 numbers: set action_dim=1"),
        ({"observation_dim": 3}, "CartPole-v1", r"does not take observations of shape \(4,\) \(set observation_dim=4"),
        ({"num_actions": 4}, "FrozenLake-v1", "does not take observations that are numbers"),
        ({}, "tests.dlmodules.rl.evolution.environments:DictObservations-v0", "not arrays of numbers: add .*Flatten"),
    ],
)
def test_other_spaces_are_refused_in_a_line(arguments: dict[str, Any], environment: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        trainer().fit(population(**arguments), data(env_id=environment))
