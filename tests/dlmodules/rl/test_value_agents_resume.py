"""Every agent that learns values ends bitwise where the unbroken run ends; priorities and noise included."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from callbacks import AtomicCheckpointIO
from dlmodules.checkpoints import replay_file
from dlmodules.rl.c51 import C51
from dlmodules.rl.double_dqn import DoubleDQN
from dlmodules.rl.dqn import DQN
from dlmodules.rl.dueling_dqn import DuelingDQN
from dlmodules.rl.n_step_dqn import NStepDQN
from dlmodules.rl.noisy_dqn import NoisyDQN
from dlmodules.rl.pqn import PQN
from dlmodules.rl.prioritized_dqn import PrioritizedDQN
from dlmodules.rl.rainbow import Rainbow
from dlmodules.rl.semi_gradient import SemiGradientQLearning, SemiGradientSarsa
from dlmodules.rl.semi_gradient_td import SemiGradientTD
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything

AGENTS = [DoubleDQN, DuelingDQN, PrioritizedDQN, NStepDQN, NoisyDQN, C51, Rainbow, PQN]
WITHOUT_REPLAY = [SemiGradientQLearning, SemiGradientSarsa, SemiGradientTD]


# The buffer of 300 is full in the tenth iteration: step 13 is after it was overwritten, in the middle of episodes.
@pytest.mark.parametrize("cls", [*AGENTS, *WITHOUT_REPLAY], ids=lambda cls: cls.__name__)
def test_resuming_continues_the_unbroken_run(cls: type, tmp_path: Path) -> None:
    paths = {step: tmp_path / f"{step}.ckpt" for step in (2, 13)}
    unbroken = trainer(callbacks=[SaveAt(path, step, "train_batch") for step, path in paths.items()])
    epochs = {"epochs": 1} if cls is PQN else {}
    module, environments = agent(cls=cls, **epochs), data()
    unbroken.fit(module, environments)
    for path in paths.values():
        resumed, new_module, new_environments = trainer(), agent(seed=5, cls=cls, **epochs), data()
        resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
        assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))
    assert module.env_steps == 800


def test_the_replay_beside_the_checkpoint_goes_with_priorities_and_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rainbow has them all; each checkpoint adds to the segments of the one before; the buffer comes round."""
    monkeypatch.setattr(replay_file, "LARGE", 1)
    paths = {step: tmp_path / f"{step}.ckpt" for step in (3, 9, 12)}
    saves = [SaveAt(path, step, "train_batch") for step, path in paths.items()]
    unbroken = trainer(callbacks=saves, plugins=[AtomicCheckpointIO()])
    module, environments = agent(cls=Rainbow), data(total_steps=512)
    unbroken.fit(module, environments)
    for step in (12, 3):  # the first resumed run adds segments of its own
        more = [SaveAt(tmp_path / "last.ckpt", at, "train_batch") for at in (13, 15)]
        resumed = trainer(callbacks=more, plugins=[AtomicCheckpointIO()])
        new_module, new_environments = agent(seed=5, cls=Rainbow), data(total_steps=512)
        resumed.fit(new_module, new_environments, ckpt_path=paths[step], weights_only=True)
        assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))


@pytest.mark.parametrize("cls", [DQN, *AGENTS, *WITHOUT_REPLAY], ids=lambda cls: cls.__name__)
def test_the_same_seed_does_the_same_steps(cls: Any) -> None:
    def trajectory(seed: int) -> list[Any]:
        class Watched(cls):
            def observe(self, transition: Any) -> None:
                super().observe(transition)
                self.seen = [*getattr(self, "seen", []), transition]

        module = agent(seed, Watched)
        trainer(limit_val_batches=0).fit(module, data(total_steps=160))
        return [(step.observation, step.action, step.reward) for step in module.seen]

    first, again, other = (trajectory(seed) for seed in (1, 1, 2))
    assert_same(first, again)
    with pytest.raises(AssertionError):
        assert_same(first, other)


class Updates(pl.Callback):
    """Environment steps and updates after each iteration."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *_: Any) -> None:
        self.seen.append((module.env_steps, module.updates))


@pytest.mark.parametrize("step", [5, 9])
def test_a_resumed_run_makes_up_for_no_updates(step: int, tmp_path: Path) -> None:
    """Learning starts at 200 steps, in the seventh iteration, whether the run was cut before or after that."""
    path, unbroken, resumed = tmp_path / "cut.ckpt", Updates(), Updates()
    trainer(callbacks=[SaveAt(path, step, "train_batch"), unbroken]).fit(agent(learning_starts=200), data())
    new = agent(learning_starts=200)
    trainer(callbacks=[resumed]).fit(new, data(), ckpt_path=path, weights_only=True)
    assert unbroken.seen == [(32 * n, max(0, 4 * (n - 6))) for n in range(1, 26)]
    assert resumed.seen == unbroken.seen[step:]


def test_a_checkpoint_of_a_variant_plays_without_its_configuration(tmp_path: Path) -> None:
    module, run = agent(cls=Rainbow, n=2, num_atoms=11, v_min=0.0, v_max=20.0, sigma=0.3), trainer(max_steps=5)
    run.fit(module, data())
    run.save_checkpoint(tmp_path / "end.ckpt")
    loaded = Rainbow.load_from_checkpoint(tmp_path / "end.ckpt", weights_only=True)
    assert (loaded.n, loaded.num_atoms, loaded.sigma, loaded.buffer) == (2, 11, 0.3, None)
    example = module.example_batch(9)
    assert_same(loaded.act(example), module.act(example))
    assert isinstance(loaded, DQN)
