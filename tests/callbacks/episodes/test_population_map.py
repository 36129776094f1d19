"""Populations in two dimensions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from callbacks import PopulationMap
from callbacks.episodes import population_map
from callbacks.episodes.population_map import plane
from dlmodules import CMAES, DQN
from dlmodules.errors import UserError
from tests.dlmodules.rl import agent_runs
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same


def fit(tmp_path: Path, callback: PopulationMap, *more: Any, **arguments: Any) -> Any:
    settings = {"default_root_dir": tmp_path, "callbacks": [callback, *more], "limit_val_batches": 0, "max_steps": 5}
    trainer = agent_runs.trainer(**settings)
    trainer.fit(agent_runs.agent(cls=CMAES), agent_runs.data(total_steps=10_000), **arguments)
    return trainer


def test_the_two_widest_directions_are_found_and_their_signs_are_fixed() -> None:
    points = np.zeros((40, 3))
    points[:, 2] = np.linspace(-3, 3, 40)
    points[:, 0] = np.tile([1.0, -1.0], 20)
    directions, parts = plane(points + 7)
    np.testing.assert_allclose(np.abs(directions), [[0, 0, 1], [1, 0, 0]], atol=0.05)
    assert directions[0, 2] > 0
    assert directions[1, 0] > 0
    assert parts.sum() == pytest.approx(1)
    assert parts[0] > parts[1]


def test_of_a_single_weight_the_second_direction_is_nothing() -> None:
    directions, parts = plane(np.array([[1.0], [2.0], [4.0]]))
    assert directions.tolist() == [[1.0], [0.0]]
    assert parts.tolist() == [1.0, 0.0]
    assert plane(np.ones((3, 2)))[1].tolist() == [0.0, 0.0]


def test_each_generation_is_there_and_the_picture_is_drawn(tmp_path: Path) -> None:
    callback = PopulationMap()
    fit(tmp_path, callback)
    assert [generation.number for generation in callback._generations] == [1, 2, 3, 4, 5]
    assert callback._generations[0].candidates.shape == (8, 114)
    assert list((tmp_path / "media").glob("population-*.png"))


def test_a_resumed_run_shows_all_generations(tmp_path: Path) -> None:
    unbroken, resumed, path = PopulationMap(), PopulationMap(), tmp_path / "cut.ckpt"
    fit(tmp_path, unbroken, SaveAt(path, 2, "train_batch"))
    fit(tmp_path, resumed, ckpt_path=path, weights_only=True)
    assert_same(unbroken.state_dict(), resumed.state_dict())


def test_of_many_only_some_are_kept_the_last_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_map, "MOST_NUMBERS", 100)
    monkeypatch.setattr(population_map, "MOST_GENERATIONS", 10)
    callback = PopulationMap()

    class Stub(torch.nn.Module):
        def population(self) -> Any:
            return torch.randn(4, 5), torch.randn(4), torch.randn(5)

    for _ in range(37):
        callback.on_train_batch_end(None, Stub(), None, None, 0)  # type: ignore[arg-type]  # neither is looked at
        kept = [generation for generation in callback._generations if len(generation.candidates)]
        assert len(kept[-1].candidates) == 4
        assert kept[-1].number == callback._count
        assert sum(generation.candidates.numel() for generation in kept) <= 100
        assert len(callback._generations) <= 10
    assert [generation.number for generation in callback._generations] == [1, 5, 9, 13, 17, 21, 25, 29, 33, 37]
    assert [generation.number for generation in kept] == [1, 17, 33, 37]


def test_a_module_without_populations_is_refused() -> None:
    trainer = agent_runs.trainer(callbacks=[PopulationMap()])
    with pytest.raises(UserError, match="PopulationMap needs a module with a method `population`; DQN has none"):
        trainer.fit(agent_runs.agent(cls=DQN), agent_runs.data())
