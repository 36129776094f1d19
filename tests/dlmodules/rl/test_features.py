"""Features that were learnt before stay as they are, and go with the agent's checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dlmodules.autoencoders.state import StateAutoencoder
from dlmodules.errors import UserError
from dlmodules.rl.a2c import A2C
from dlmodules.rl.features import StateFeatures
from dlmodules.rl.orthogonal import OrthogonalMLP
from dlmodules.rl.policies import GaussianPolicy
from tests.dlmodules.rl.agent_runs import agent, data, trainer


def autoencoder(folder: Path) -> tuple[StateAutoencoder, str]:
    module, path = StateAutoencoder(), folder / "autoencoder.ckpt"
    torch.save({"state_dict": module.state_dict(), "hyper_parameters": {}}, path)
    return module, str(path)


def car(features: nn.Module) -> Any:
    policy = GaussianPolicy(32, 1, (), deviation="softplus")
    return agent(
        cls=A2C, observation_dim=2, features=features, policy=policy, critic=OrthogonalMLP(32, 1, ()), n_steps=8
    )


def test_they_are_those_of_the_autoencoder(tmp_path: Path) -> None:
    module, path = autoencoder(tmp_path)
    states = torch.randn(7, 2)
    features = StateFeatures(ckpt_path=path)
    torch.testing.assert_close(features(states), module.encoder(states).detach())
    assert sum(p.numel() for p in features.parameters()) == 37_792
    with pytest.raises(UserError, match="is not of a StateAutoencoder with 16 features of 2 numbers"):
        StateFeatures(features=16, ckpt_path=path)


def test_they_stay_and_go_with_the_agent(tmp_path: Path) -> None:
    _, path = autoencoder(tmp_path)
    module = car(StateFeatures(ckpt_path=path))
    learnt = [p for p in module.parameters() if p.requires_grad]
    assert sum(p.numel() for p in learnt) == 66 + 33  # the book's actor and critic
    before = {name: value.clone() for name, value in module.state_dict().items()}
    run = trainer(limit_val_batches=0)
    run.fit(module, data(env_id="MountainCarContinuous-v0", total_steps=256))
    after = module.state_dict()
    for name in before:
        moved = not torch.equal(torch.as_tensor(before[name]), torch.as_tensor(after[name]))
        assert moved == (("policy.network" in name) or ("critic" in name) or name in ("policy.low", "policy.high"))
    run.save_checkpoint(tmp_path / "agent.ckpt")
    Path(path).unlink()
    loaded = A2C.load_from_checkpoint(tmp_path / "agent.ckpt", weights_only=True)
    states = torch.randn(7, 2)
    torch.testing.assert_close(loaded.act(states), module.act(states))


def test_without_the_autoencoder_no_training_begins() -> None:
    with pytest.raises(UserError, match=r"there is no checkpoint nowhere.ckpt for the features: train an autoencoder"):
        trainer().fit(car(StateFeatures(ckpt_path="nowhere.ckpt")), data(env_id="MountainCarContinuous-v0"))
