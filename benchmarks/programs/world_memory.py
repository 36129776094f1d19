"""Scores of the memory of a world model: what it expects, and what can be read from its state."""

from dataclasses import replace
from math import atan2, log, pi
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.classification import binary_auroc

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.readers import trained_stage
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import LatentSeriesDataModule
from datamodules.environments.making import make_env
from datamodules.rollouts.policies import make_policy
from dlmodules import MDNRNN
from dlmodules.protocols import LatentSeries

AHEAD = 8
"""Tiles of the track, some 28 metres, over which it turns ahead."""

EPISODES, STEPS = 40, 150
AGES = 25  # steps of the first second, in which the camera flies down to the car


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit the vision of the row's options, or take that of before, and the row's memory; then test it.

    Beside its loss stands that of the last code as a guess, with deviations of the training; beside its area under the
    curve that of whether the step before paid. Then ridge regressions read speed, distance to the road and its turn
    ahead from code and memory, on tracks of their own.
    """
    folder = str((context.work / "rollouts").resolve())
    common = ["--data.init_args.seed", str(seed), "--data.init_args.rollouts_dir", folder]
    common += ["--data.init_args.episodes", "10", "--data.init_args.max_steps", "30"] if context.quick else []
    vision = trained_stage(row.options["vision"], seed, common, context)
    args = (*row.options.get("args", ()), *common, "--model.encoder", vision, "--data.init_args.encoder", vision)
    given = replace(row, options={**row.options, "args": args})
    record = scores.measure(given, seed, context)
    module = scores.trained_module(given, seed, context, record)
    data = scores.data_of_run(given, seed, context, record)
    assert isinstance(module, MDNRNN)
    assert isinstance(data, LatentSeriesDataModule)
    guesses = {"copy": copy_loss(data), "before_auc": before_auc(data)}
    metrics = {**guesses, **readable(module, data, 4 if context.quick else EPISODES, seed)}
    args = [str(word) for word in row.options.get("args", ())]  # without folders of this machine
    return replace(record, metrics={**record.metrics, **metrics}, args=args)


def _all_series(dataset: Any) -> LatentSeries:
    return dataset.__getitems__(list(range(len(dataset))))


@torch.no_grad()
def copy_loss(data: LatentSeriesDataModule) -> float:
    """Return the loss, in nats a number, of a Gaussian around the last code, whose deviations the training has."""

    def changes(dataset: Any) -> Tensor:
        series = _all_series(dataset)
        draw = torch.Generator().manual_seed(0)
        noise = torch.randn(series.mean.shape, generator=draw)
        z = series.mean + (0.5 * series.log_var).exp() * noise
        return (z[:, 1:] - z[:, :-1])[series.mask > 0]

    data.setup()
    variance = changes(data.train_set).square().mean(dim=0)
    nats = 0.5 * (changes(data.test_set).square() / variance + variance.log() + log(2 * pi))
    return float(nats.mean())


def before_auc(data: LatentSeriesDataModule) -> float:
    """Return the area under the ROC curve of a guess that a step pays where the one before did, on the test's steps."""
    series = _all_series(data.test_set)
    paid = series.reward > 0
    before = F.pad(paid[:, :-1], (1, 0))
    real = series.mask > 0
    return float(binary_auroc(before[real].float(), paid[real].long()))


@torch.no_grad()
def readable(module: MDNRNN, data: LatentSeriesDataModule, episodes: int, seed: int) -> dict[str, float]:
    """Return the R2 of what ridge regressions read from code and memory, on the last quarter of new episodes."""
    settings = data.settings
    env = make_env(settings.env_id, settings.env_kwargs, settings.wrappers)
    policy = make_policy(settings.policy, env, settings.hold, settings.mean, settings.spread)
    features, wanted, parts = [], [], []
    for episode in range(episodes):
        of_env = 1_000_000 + 1_000 * seed + episode  # tracks of their own
        observation, _ = env.reset(seed=of_env)
        policy.begin(of_env)
        state = module.initial_state(1)
        for step in range(STEPS):
            z = module.see(torch.from_numpy(observation)[None])
            action = policy.act(observation)
            if step >= AGES:
                features.append(torch.cat([z, module.hidden(state)], dim=1)[0].numpy())
                wanted.append(driving_state(env.unwrapped))
                parts.append(episode)
            state = module.remember(z, torch.from_numpy(action)[None], state)
            observation, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                break
    x, y, held = np.array(features), np.array(wanted), np.array(parts) >= episodes * 3 // 4
    near = np.abs(y[:, 1]) < 20  # metres: further away the camera shows no road
    found = {}
    for place, name in enumerate(("speed", "distance", "turn")):
        rows = near if name != "speed" else np.ones(len(y), dtype=bool)
        fit, test = rows & ~held, rows & held
        scaler = StandardScaler().fit(x[fit])
        ridge = RidgeCV(np.logspace(-1, 4, 11)).fit(scaler.transform(x[fit]), y[fit, place])
        found[f"r2_{name}"] = float(ridge.score(scaler.transform(x[test]), y[test, place]))
    return found


def driving_state(env: Any) -> tuple[float, float, float]:
    """Return a car's speed in m/s, its distance to the left of the middle of the road, and the road's turn ahead."""
    x, y = env.car.hull.position
    velocity = env.car.hull.linearVelocity
    track = np.array(env.track)
    nearest = int(((track[:, 2] - x) ** 2 + (track[:, 3] - y) ** 2).argmin())
    _, beta, road_x, road_y = track[nearest]
    # The road runs along (-sin, cos) of its angle, so what is left of it lies against (cos, sin).
    distance = -((x - road_x) * np.cos(beta) + (y - road_y) * np.sin(beta))
    ahead = track[(nearest + AHEAD) % len(track), 1]
    turn = ahead - env.car.hull.angle
    return float(np.hypot(*velocity)), float(distance), float(atan2(np.sin(turn), np.cos(turn)))
