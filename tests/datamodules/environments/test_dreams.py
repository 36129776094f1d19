from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from datamodules import EnvironmentDataModule
from datamodules.environments.dreams import DreamEnv, DreamVectorEnv
from datamodules.environments.lanes import VectorLanes
from dlmodules import MDNRNN, PPO, VAE, EvolvedController
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def world(**arguments: Any) -> MDNRNN:
    torch.manual_seed(0)
    module = MDNRNN(**{"latent_dim": 3, "action_dim": 2, "hidden_dim": 4, "reward_input": False, **arguments}).eval()
    module.starts[:, 0] = torch.arange(256.0)[:, None]
    module.starts[:, 1] = -40
    return module


def ending(probability: float, **arguments: Any) -> MDNRNN:
    module = world(ends=True, **arguments)
    with torch.no_grad():
        module.network.head.weight[-1] = 0
        module.network.head.bias[-1] = torch.logit(torch.tensor(probability))
    return module


def played(env: DreamVectorEnv, steps: int, seed: Any = 0) -> list[np.ndarray]:
    seen, _ = env.reset(seed=seed)
    frames, draw = [seen], np.random.default_rng(1)
    action = draw.uniform(-1, 1, (1, 2)).astype(np.float32).repeat(env.num_envs, axis=0)
    for _ in range(steps):
        frames.append(env.step(action)[0])
    return frames


def test_dreams_begin_as_episodes_do_and_not_in_their_middle() -> None:
    env = DreamVectorEnv(50, world())
    seen, _ = env.reset(seed=0)
    assert seen.shape == (50, 7)
    assert (seen[:, 3:] == 0).all()  # nothing is remembered
    codes = seen[:, 0]
    assert np.allclose(codes, codes.round(), atol=1e-5)
    assert len(set(codes.round().tolist())) > 20
    for _ in range(3):
        env.step(env.action_space.sample())
    again, _ = env.reset()
    assert (again[:, 3:] == 0).all()
    assert not np.allclose(again, seen)


def test_first_codes_are_drawn_and_not_their_means() -> None:
    model = world()
    model.starts.zero_()  # standard normal codes
    seen, _ = DreamVectorEnv(300, model).reset(seed=0)
    assert seen[:, :3].std() == pytest.approx(1.0, abs=0.1)
    assert abs(seen[:, :3].mean()) < 0.1


def test_a_dream_follows_from_its_seed_and_not_from_those_beside_it() -> None:
    model = world()
    together = played(DreamVectorEnv(4, model), 5, [7, 8, 9, 7])
    alone = played(DreamVectorEnv(1, model), 5, [8])
    for several, one in zip(together, alone, strict=True):
        assert np.allclose(several[1], one[0], atol=1e-5)
        assert np.allclose(several[0], several[3], atol=1e-5)
    assert not np.allclose(together[-1][0], together[-1][1])


def test_the_model_says_how_it_goes_on() -> None:
    model = world()
    env = DreamVectorEnv(2, model, temperature=1e-6)
    first, _ = env.reset(seed=3)
    action = np.array([[0.5, -0.5], [0.0, 1.0]], dtype=np.float32)
    seen, reward, *_ = env.step(action)
    z = torch.from_numpy(first[:, :3])
    mixture, logits, (hidden, _) = model(z[:, None], torch.from_numpy(action)[:, None])
    likeliest = mixture.log_pi[:, 0].argmax(dim=-1, keepdim=True)
    wanted = mixture.mu[:, 0].gather(-1, likeliest)[..., 0]
    assert np.allclose(seen[:, :3], wanted.detach(), atol=0.02)
    assert np.allclose(seen[:, 3:], hidden[0].detach(), atol=1e-5)
    assert reward.tolist() == (logits["reward"][:, 0] > 0).float().tolist()


def test_an_end_is_drawn_or_has_a_threshold() -> None:
    action = np.zeros((400, 2), dtype=np.float32)
    env = DreamVectorEnv(400, ending(0.3))
    env.reset(seed=0)
    assert env.step(action)[2].mean() == pytest.approx(0.3, abs=0.08)
    for probability, over in ((0.49, False), (0.51, True)):
        env = DreamVectorEnv(400, ending(probability), end="threshold")
        env.reset(seed=0)
        assert (env.step(action)[2] == over).all()


def test_a_dream_has_a_limit_which_is_no_end_and_the_next_one_begins_at_once() -> None:
    env = DreamVectorEnv(2, world(), max_steps=3)
    env.reset(seed=0)
    action = np.zeros((2, 2), dtype=np.float32)
    for step in range(1, 8):
        seen, _, terminated, truncated, info = env.step(action)
        assert not terminated.any()
        assert truncated.all() == (step % 3 == 0)
        if truncated.all():
            # What was seen last is the dream's own, and not the first of the next.
            assert (seen[:, 3:] == 0).all()
            assert all((last[3:] != 0).all() for last in info["final_obs"])


def test_no_return_of_a_dream_is_above_its_limit() -> None:
    """Nor is a step of the next dream counted to the one before."""
    env = DreamVectorEnv(4, ending(0.1, rewards=False), max_steps=6)
    lanes = VectorLanes(env, 0)
    played = lanes.play(lambda seen, _: torch.zeros(len(seen), 2), lanes.next_seeds(200))
    assert played.ended.all()
    assert played.returns.max() == 6
    assert (played.returns == played.lengths).all()
    # Of so many dreams one in ten ends in its first step.
    assert (played.lengths == 1).mean() == pytest.approx(0.1, abs=0.06)
    assert (played.lengths == 6).mean() == pytest.approx(0.9**5, abs=0.1)


def test_one_dream_is_an_environment_for_any_agent(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, discrete=True)
    env = DreamEnv(world=path)
    check_env(env, skip_render_check=True)
    data = EnvironmentDataModule("dlmodules/Dream-v0", 2, total_steps=64, env_kwargs={"world": path, "max_steps": 9})
    module = PPO(observation_dim=7, num_actions=2)
    quiet_trainer(max_epochs=-1, limit_val_batches=0, default_root_dir=tmp_path).fit(module, data)
    assert module.env_steps >= 64


def checkpoint(folder: Path, **arguments: Any) -> str:
    module = world(encoder=VAE((1, 24, 24), 3), ends=True, **arguments)
    trainer = quiet_trainer(max_epochs=0, default_root_dir=folder)
    trainer.fit(module, torch.utils.data.DataLoader([module.example_batch(2)], batch_size=None))
    trainer.save_checkpoint(folder / "world.ckpt")
    return str(folder / "world.ckpt")


def test_a_controller_trains_in_dreams_and_is_judged_in_the_game(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, discrete=True, action_dim=3)
    torch.manual_seed(0)
    module = EvolvedController(path, num_actions=3, population_size=4, sigma=1.0, generations_per_epoch=2)
    data = EnvironmentDataModule(
        "dlmodules/Dodge-v0",
        train_env_id="dlmodules/Dream-v0",
        train_env_kwargs={"world": path, "max_steps": 20},
        vectorization="batched",
        num_envs=4,
        eval_episodes=3,
    )
    trainer = quiet_trainer(max_steps=2, max_epochs=-1, log_every_n_steps=1, default_root_dir=tmp_path)
    trainer.fit(module, data)
    assert module.env_steps <= 2 * 4 * 20
    assert trainer.callback_metrics["val/return"] > 20  # of the game: no ball is down before


def test_what_does_not_fit_ends_in_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        ({"world": None}, "world is None"),
        ({"world": world(), "temperature": 0.0}, "temperature"),
        ({"world": world(), "temperature": -1.0}, "temperature"),
        ({"world": world(), "end": "never"}, "sampled or threshold"),
    ):
        with pytest.raises(UserError, match=message):
            DreamVectorEnv(1, **arguments)
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path)
    controller = EvolvedController("untrained", population_size=2, num_actions=3)
    with pytest.raises(UserError, match="no vector form"):
        trainer.fit(controller, EnvironmentDataModule("dlmodules/Dodge-v0", vectorization="batched"))
    with pytest.raises(UserError, match="for agents that play whole episodes, and PPO does not"):
        trainer.fit(PPO(), EnvironmentDataModule(vectorization="batched"))
    with pytest.raises(UserError, match="training environments of their own"):
        EnvironmentDataModule(vectorization="table", train_env_id="CartPole-v1")
