from typing import Any

import pytest
import torch

from dlmodules import GeneticAlgorithm
from dlmodules.errors import UserError
from tests.dlmodules.rl.agent_runs import agent, data, trainer


def genetic(**arguments: Any) -> GeneticAlgorithm:
    settings = {"hidden_dims": (), "population_size": 8, "parents": 3, "elites": 2, "elite_episodes": 2}
    module: GeneticAlgorithm = agent(cls=GeneticAlgorithm, **{**settings, **arguments})
    return module


def test_the_first_generation_is_the_network_with_changes() -> None:
    module = genetic(network=torch.nn.Linear(4, 2), sigma=1e-3)
    differences = module.ask() - module.weights
    assert 0 < differences.abs().max() < 1e-2
    assert differences.abs().amax(1).min() > 0  # nobody is spared


def test_the_better_have_offspring_and_the_elite_goes_on_unchanged() -> None:
    module = genetic(sigma=1e-4)
    candidates = torch.arange(80.0).reshape(8, 10) * 10
    module._elite_fitness = torch.tensor([20.0, 30.0])
    found = module.tell(candidates, torch.tensor([1.0, 7.0, 3.0, 6.0, 2.0, 5.0, 0.0, 4.0]))
    # Among the elite the second was better in its further episodes: it acts, and comes first where returns are alike.
    assert torch.equal(module.genes, candidates[[3, 1, 5]])
    assert torch.equal(module.weights, candidates[3])
    assert found["elite_fitness"] == 30
    assert not {module.genes.untyped_storage().data_ptr()} & {
        parameter.untyped_storage().data_ptr() for parameter in module.network.parameters()
    }
    children = module.ask()
    assert torch.equal(children[:2], candidates[[3, 1]])
    distances = torch.cdist(children[2:], candidates[[1, 3, 5]]).min(1)
    assert distances.values.min() > 0
    assert distances.values.max() < 0.01
    seen = {int(place) for _ in range(20) for place in torch.cdist(module.ask()[2:], module.genes).argmin(1)}
    assert seen == {0, 1, 2}


@pytest.mark.parametrize(("crossover", "least", "most"), [(0.0, 0.0, 0.0), (1.0, 0.4, 0.6), (0.5, 0.15, 0.35)])
def test_crossover_takes_each_weight_from_either_parent(crossover: float, least: float, most: float) -> None:
    module = genetic(sigma=1e-4, parents=2, population_size=502, crossover=crossover)
    module.generation += 1
    module.genes.copy_(torch.stack([torch.zeros(10), torch.ones(10)]))
    children = module.ask()[2:].round()
    assert set(children.unique().tolist()) == {0.0, 1.0}
    mixed = (children.mean(1) > 0) & (children.mean(1) < 1)
    assert least <= mixed.float().mean() <= most  # half of the pairs are of one parent twice


def test_everybody_plays_anew_and_the_elite_further_episodes() -> None:
    module, environments = genetic(episodes_per_candidate=1), data(total_steps=100_000)
    plays: list[tuple[int, int]] = []

    class Watched(GeneticAlgorithm):
        def play(self, candidates: torch.Tensor, episodes: int) -> torch.Tensor | None:
            plays.append((len(candidates), episodes))
            if len(candidates) == self.elites:
                assert self.candidates is not None
                assert self.fitness is not None
                chosen = torch.cdist(candidates, self.candidates).argmin(1)
                assert torch.equal(self.fitness[chosen], self.fitness.topk(self.elites).values)
            return super().play(candidates, episodes)

    module = agent(cls=Watched, hidden_dims=(), population_size=8, parents=3, elites=2, elite_episodes=2)
    trainer(limit_val_batches=0, max_steps=2).fit(module, environments)
    assert plays == [(8, 1), (2, 2)] * 2
    assert environments.state_dict()["train_envs"]["seeds"] == 2 * (1 + 2)  # no seed of a test or a validation
    assert environments.state_dict()["train_envs"]["episodes"] == 2 * (8 + 4)


def test_an_elite_that_the_budget_cuts_is_not_chosen_from() -> None:
    module = genetic(elite_episodes=1_000)
    before = module.weights
    trainer(limit_val_batches=0).fit(module, data(total_steps=600))
    assert module.generation == 0
    assert torch.equal(module.weights, before)


@pytest.mark.parametrize("total_steps", [1_000, 1_100, 1_200])
def test_the_policy_that_acts_sees_as_it_did_when_it_was_judged(total_steps: int) -> None:
    judged: list[torch.Tensor] = []

    class Watched(GeneticAlgorithm):
        def play(self, candidates: torch.Tensor, episodes: int) -> torch.Tensor | None:
            found = super().play(candidates, episodes)
            if len(candidates) == self.elites and found is not None:
                judged.append(self.normalizer.mean.clone())
            return found

    settings = {"population_size": 8, "parents": 3, "elites": 2, "elite_episodes": 2, "normalize_observations": True}
    module = agent(cls=Watched, hidden_dims=(), **settings)
    trainer(limit_val_batches=0).fit(module, data(total_steps=total_steps))
    assert len(judged) == module.generation > 1
    assert torch.equal(module.normalizer.mean, judged[-1])  # whatever the budget cut since
    assert not torch.equal(judged[0], judged[-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"elites": 4}, "elites is 4, parents 3 and population_size 8: the elites are among the parents"),
        ({"elites": 9, "parents": 9}, "elites is 9, parents 9 and population_size 8"),
        ({"elites": 0}, "elites is 0; it must be at least 1"),
        ({"crossover": 1.5}, r"crossover is 1.5; it must lie in \[0, 1\]"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        genetic(**arguments)
