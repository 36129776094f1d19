from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules.environments.replay import episode_seed
from dlmodules import MDNRNN, VAE, EvolvedController
from dlmodules.errors import UserError
from dlmodules.protocols import ActsWithMemory
from dlmodules.rl.evaluation import evaluate
from dlmodules.rl.evolution.untrained_world import UntrainedWorld
from tests.dlmodules.rl.agent_runs import data, trainer


def controller(world: Any = "untrained", **arguments: Any) -> EvolvedController:
    torch.manual_seed(0)
    return EvolvedController(world, **{"population_size": 4, "generations_per_epoch": 3, **arguments})


def test_the_papers_controller_has_867_weights() -> None:
    world = MDNRNN(encoder=VAE((3, 64, 64), 32))
    module = controller(world, action_dim=3)
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == 867
    assert isinstance(module, ActsWithMemory)
    alone = controller(world, action_dim=3, memory=False)
    assert sum(p.numel() for p in alone.parameters() if p.requires_grad) == 3 * 32 + 3


@pytest.mark.parametrize("memory", [True, False])
@pytest.mark.parametrize("num_envs", [1, 3, 8])
def test_candidates_remember_each_episode_by_itself(memory: bool, num_envs: int) -> None:
    module, environments = controller(memory=memory, sigma=2.0, episodes_per_candidate=2), data(num_envs=num_envs)
    trainer(limit_val_batches=0, max_steps=1).fit(module, environments)
    found = module.population()
    assert found is not None
    candidates, fitness, _ = found
    seeds = [episode_seed("train", 0, number) for number in (0, 1)]
    for weights, value in zip(candidates, fitness, strict=True):
        module.set_weights(weights)
        returns, _ = evaluate(module, [environments.make_env()], seeds)
        assert returns.mean() == value
    assert len(set(fitness.tolist())) > 1


def test_the_world_stays_as_it_was_and_goes_into_the_checkpoint(tmp_path: Path) -> None:
    world = UntrainedWorld()
    module = controller(world)
    before = {name: p.clone() for name, p in world.named_parameters()}
    trained = trainer(limit_val_batches=0, max_steps=3)
    trained.fit(module, data())
    assert all(torch.equal(before[name], p) for name, p in world.named_parameters())
    assert not world.training
    trained.save_checkpoint(tmp_path / "controller.ckpt")
    again = EvolvedController.load_from_checkpoint(tmp_path / "controller.ckpt", weights_only=True)
    observation = torch.randn(5, 4)
    action, state = module.act(observation, module.initial_state(5))
    others, remembered = again.act(observation, again.initial_state(5))
    assert torch.equal(action, others)
    assert all(torch.equal(state[name], remembered[name]) for name in state)


def test_what_a_world_remembers_changes_what_is_done() -> None:
    module = controller(sigma=1.0)
    module.set_weights(torch.randn_like(module.weights))
    state = module.initial_state(64)
    observation = torch.randn(64, 4)
    first, after = module.act(observation, state)
    second, _ = module.act(observation, after)
    assert not torch.equal(first, second)


def test_a_controller_without_a_world_ends_in_one_line() -> None:
    with pytest.raises(UserError, match="world is None; a controller acts by what a world model sees"):
        trainer().fit(EvolvedController(population_size=4), data())
    with pytest.raises(UserError, match="world is VAE"):
        EvolvedController(VAE((1, 8, 8), 2))
