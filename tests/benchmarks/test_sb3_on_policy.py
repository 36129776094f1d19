import torch
import yaml

from benchmarks.peers.sb3_on_policy import sb3_arguments, settings_of
from benchmarks.record import ROOT


def translated(name: str) -> dict:
    config = yaml.safe_load((ROOT / "configs" / "rl" / f"{name}.yaml").read_text())
    return sb3_arguments(*settings_of(config), steps=50_000)


def test_settings_of_ppo_are_translated():
    found = translated("ppo_cartpole")
    assert (found["n_steps"], found["batch_size"], found["n_epochs"]) == (32, 256, 10)  # 256 steps of 8 environments
    assert (found["gamma"], found["gae_lambda"], found["clip_range"]) == (0.995, 0.9, 0.2)
    assert (found["vf_coef"], found["ent_coef"], found["max_grad_norm"]) == (0.5, 0.0, 0.5)  # by default
    assert found["policy_kwargs"] == {
        "net_arch": [64, 64],
        "activation_fn": torch.nn.ReLU,
        "optimizer_class": torch.optim.Adam,
        "optimizer_kwargs": {"fused": True},
    }
    rate = found["learning_rate"]
    assert (rate(1.0), round(rate(0.0), 9)) == (0.002, 0.00004)


def test_settings_of_a2c_are_translated():
    found = translated("a2c_cartpole")
    assert not found["use_rms_prop"]
    assert not found["normalize_advantage"]
    assert "batch_size" not in found
