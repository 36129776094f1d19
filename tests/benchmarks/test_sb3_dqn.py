import torch

from benchmarks.peers.sb3_dqn import sb3_arguments, settings_of

CONFIG = {
    "model": {
        "class_path": "DQN",
        "init_args": {
            "hidden_dims": [32, 16],
            "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.002, "eps": 1e-5}},
            "steps_per_iteration": 64,
            "updates_per_iteration": 32,
            "target_update_interval": 10,
            "epsilon_steps": 8000,
        },
    },
    "data": {"class_path": "EnvironmentDataModule", "init_args": {"num_envs": 4}},
}


def test_settings_are_translated():
    found = sb3_arguments(*settings_of(CONFIG), steps=50_000)
    assert found["train_freq"] == (16, "step")  # 16 steps of 4 environments
    assert found["gradient_steps"] == 32
    assert found["target_update_interval"] == 20  # 10 updates take 20 environment steps
    assert found["exploration_fraction"] == 0.16
    assert found["learning_rate"] == 0.002
    assert found["max_grad_norm"] == float("inf")
    assert found["policy_kwargs"] == {
        "net_arch": [32, 16],
        "optimizer_class": torch.optim.Adam,
        "optimizer_kwargs": {"eps": 1e-5},
    }
    assert (found["batch_size"], found["buffer_size"], found["gamma"]) == (64, 100_000, 0.9)


def test_a_default_optimizer_is_read_from_its_factory():
    found = sb3_arguments(*settings_of({"model": {}, "data": {}}), steps=50_000)
    assert found["policy_kwargs"]["optimizer_class"] is torch.optim.Adam
    assert found["learning_rate"] == 0.001
