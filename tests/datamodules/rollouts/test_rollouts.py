from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from datamodules import LatentSeriesDataModule, RolloutsDataModule
from datamodules.rollouts import store
from datamodules.rollouts.policies import SmoothPolicy
from dlmodules import VAE, MLPClassifier
from dlmodules.errors import UserError
from tests.datamodules.rollouts.counting_env import DIES_AT
from tests.quiet import quiet_trainer

ENV = "tests.datamodules.rollouts.counting_env:CountingFrames-v0"


def rollouts(folder: Path, **arguments: Any) -> RolloutsDataModule:
    return RolloutsDataModule(
        **{"env_id": ENV, "episodes": 4, "max_steps": 10, "rollouts_dir": str(folder), **arguments}
    )


def vae(folder: Path, latent_dim: int = 2, size: int = 8) -> str:
    torch.manual_seed(0)
    module = VAE((1, size, size), latent_dim)
    trainer = quiet_trainer(max_epochs=0, default_root_dir=folder)
    trainer.fit(module, torch.utils.data.DataLoader([module.example_batch(2)], batch_size=None))
    path = folder / f"vae{latent_dim}-{size}.ckpt"
    trainer.save_checkpoint(path)
    return str(path)


def test_each_action_stands_between_what_was_seen_before_and_after_it(tmp_path: Path) -> None:
    found = rollouts(tmp_path).rollouts
    assert found.lengths.tolist() == [DIES_AT] * 4
    assert found.frames[1, : DIES_AT + 1, 0, 0, 0].tolist() == list(range(DIES_AT + 1))
    assert found.rewards[1, :DIES_AT].tolist() == [1, 2, 3, 4, 5, 6, 7]
    # The fatal action is there, and nothing but it ended the episode.
    assert found.ended[1].tolist() == [False] * (DIES_AT - 1) + [True] + [False] * 3


def test_a_limit_of_steps_is_no_end(tmp_path: Path) -> None:
    assert not rollouts(tmp_path, env_kwargs={"dies": False}).rollouts.ended.any()
    short = rollouts(tmp_path, max_steps=3).rollouts
    assert short.lengths.tolist() == [3] * 4
    assert not short.ended.any()


def test_frames_of_whole_episodes_are_held_out(tmp_path: Path) -> None:
    data = rollouts(tmp_path, batch_size=100, val_fraction=0.25, test_fraction=0.25)
    data.setup()
    ((train, episodes),), ((val, _),) = list(data.train_dataloader()), list(data.val_dataloader())
    assert sorted(set(episodes.tolist())) == [0, 1]
    assert (train.shape, val.shape) == ((2 * (DIES_AT + 1), 1, 8, 8), (DIES_AT + 1, 1, 8, 8))
    assert train.dtype == torch.float32
    assert float(train.max()) == pytest.approx(DIES_AT / 255)
    pairs = rollouts(tmp_path, view="actions")
    pairs.setup()
    frames, actions = next(iter(pairs.train_dataloader()))
    assert len(frames) == 2 * DIES_AT == len(actions)
    assert actions.dtype == torch.int64


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    alone, together = (rollouts(tmp_path / str(n), workers=n, hold=1).rollouts for n in (1, 2))
    for name in store.NAMES:
        assert np.array_equal(getattr(alone, name), getattr(together, name)), name
    assert len(np.unique(alone.actions[:, :DIES_AT], axis=0)) == 4  # each episode has its own


def test_an_interrupted_collection_goes_on_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rollouts(tmp_path / "whole").rollouts
    settings = rollouts(tmp_path).settings
    played: list[int] = []
    once = store.play_episodes

    def broken(settings: Any, folder: Path, episodes: Any) -> None:
        once(settings, folder, episodes[:2])
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "play_episodes", broken)
    with pytest.raises(KeyboardInterrupt):
        store.play_rollouts(settings, tmp_path)
    monkeypatch.setattr(store, "play_episodes", lambda s, f, e: (played.extend(e), once(s, f, e)))
    found = store.Rollouts(store.play_rollouts(settings, tmp_path))
    assert played == [2, 3]
    assert np.array_equal(found.actions, whole.actions)
    store.play_rollouts(settings, tmp_path)
    assert played == [2, 3]  # nothing is played twice
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_other_arguments_have_another_folder(tmp_path: Path) -> None:
    names = {
        rollouts(tmp_path, **arguments).settings.folder_name
        for arguments in ({}, {"seed": 1}, {"hold": 2}, {"max_steps": 5}, {"env_kwargs": {"size": 9}}, {"episodes": 5})
    }
    assert len(names) == 6


def test_series_are_codes_of_the_frames_and_padded(tmp_path: Path) -> None:
    path = vae(tmp_path)
    data = LatentSeriesDataModule(
        encoder=path, sequence_length=4, env_id=ENV, episodes=4, max_steps=10, rollouts_dir=str(tmp_path)
    )
    data.setup()
    batch = data.val_set.__getitems__([0, 1])
    assert batch.mean.shape == batch.log_var.shape == (2, 5, 2)
    assert batch.action.shape == (2, 4, 3)  # one-hot
    assert batch.mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert batch.reward.tolist() == [[1, 2, 3, 4], [5, 6, 7, 0]]
    assert batch.ended.tolist() == [[0, 0, 0, 0], [0, 0, 1, 0]]
    played = torch.from_numpy(data.rollouts.actions[data.episodes_of("val")[0], :DIES_AT].copy())
    done = batch.action.argmax(dim=-1)
    assert torch.equal(torch.cat([done[0], done[1, :3]]), played)
    module = VAE.load_from_checkpoint(path, weights_only=True)
    # Dreams begin as these episodes do: with the code of frame 0, whatever the rest of a window is.
    mean, log_var = module.posterior(torch.zeros(1, 1, 8, 8))
    starts = data.start_codes()
    torch.testing.assert_close(starts[0], mean.detach().expand(2, 2))
    torch.testing.assert_close(starts[1], log_var.detach().expand(2, 2))
    frames = torch.arange(4, 8).float().div(255)[:, None, None, None].expand(4, 1, 8, 8)
    torch.testing.assert_close(batch.mean[1, :4], module.posterior(frames)[0].detach())


def test_what_does_not_fit_ends_in_one_line(tmp_path: Path) -> None:
    common: dict[str, Any] = {"env_id": ENV, "episodes": 4, "max_steps": 5, "rollouts_dir": str(tmp_path)}
    with pytest.raises(UserError, match=r"give its checkpoint as --data\.encoder"):
        LatentSeriesDataModule(**common).setup()
    with pytest.raises(UserError, match=r"encodes images of \[1, 16, 16\], and the rollouts' are \[1, 8, 8\]"):
        LatentSeriesDataModule(encoder=vae(tmp_path, size=16), **common).setup()
    with pytest.raises(UserError, match="there is no file"):
        LatentSeriesDataModule(encoder=str(tmp_path / "none.ckpt"), **common).setup()
    with pytest.raises(UserError, match="no frames"):
        RolloutsDataModule(env_id="CartPole-v1", episodes=3, rollouts_dir=str(tmp_path)).setup()
    with pytest.raises(UserError, match="choose random"):
        rollouts(tmp_path, policy="smooth").setup()
    with pytest.raises(UserError, match="policy expert drives CarRacing"):
        rollouts(tmp_path, policy="expert").setup()
    module = MLPClassifier((1, 8, 8), 2)
    trainer = quiet_trainer(max_epochs=0, default_root_dir=tmp_path)
    trainer.fit(module, torch.utils.data.DataLoader([module.example_batch(2)], batch_size=None))
    trainer.save_checkpoint(tmp_path / "mlp.ckpt")
    with pytest.raises(UserError, match="MLPClassifier, which does not act"):
        rollouts(tmp_path, policy=str(tmp_path / "mlp.ckpt")).setup()
    with pytest.raises(UserError, match="no distribution of codes"):
        LatentSeriesDataModule(encoder=str(tmp_path / "mlp.ckpt"), **common).setup()


def test_smooth_actions_keep_their_mean_spread_and_course() -> None:
    from gymnasium.spaces import Box

    space = Box(np.array([-9.0, 0.0]), np.array([9.0, 1.0]), dtype=np.float64)
    policy = SmoothPolicy(space, [1.0, 0.5], [0.5, 9.0])
    policy.begin(3)
    actions = np.array([policy.act(None) for _ in range(4000)])
    assert actions[:, 0].mean() == pytest.approx(1.0, abs=0.15)
    assert actions[:, 0].std() == pytest.approx(0.5, abs=0.1)
    assert np.corrcoef(actions[1:, 0], actions[:-1, 0])[0, 1] == pytest.approx(0.95, abs=0.02)
    assert (actions[:, 1].min(), actions[:, 1].max()) == (0, 1)
    with pytest.raises(UserError, match="policy_mean has 1 numbers"):
        SmoothPolicy(space, [1.0])


def test_an_agent_plays_with_its_memory(tmp_path: Path) -> None:
    from datamodules.rollouts.policies import AgentPolicy

    class Remembers(nn.Module):
        def initial_state(self, n: int) -> dict[str, torch.Tensor]:
            return {"count": torch.zeros(n, dtype=torch.int64)}

        def act(self, observation: torch.Tensor, state: dict[str, torch.Tensor]) -> Any:
            return state["count"], {"count": state["count"] + 1}

    policy = AgentPolicy.__new__(AgentPolicy)
    policy.agent = Remembers()
    for _ in range(2):
        policy.begin(0)
        assert [int(policy.act(np.zeros(3))) for _ in range(3)] == [0, 1, 2]
