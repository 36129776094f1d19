"""Scores of ALVINN: what it says of single roads, and how many closed loops it drives around; and a film of one.

``python -m benchmarks.programs.driving CHECKPOINT`` draws the pictures of its page.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import ROOT, Record
from benchmarks.row import Row
from callbacks.base.media import write_gif
from datamodules import EnvironmentDataModule
from datamodules.driving.retina import pictures_of
from datamodules.driving.views import seen_from, steering_from
from dlmodules import ALVINN
from dlmodules.checkpoints.loading import load_module
from dlmodules.driving.alvinn import NEAR, UNITS

FOLDER = ROOT / "docs" / "images" / "alvinn"
LOOPS, FIRST_SEED = 20, 10_000


@dataclass
class Drive:
    """How a car went: whether it came around, how many metres, of how many, and how far it was from the middle."""

    around: bool = False
    metres: float = 0.0
    length: float = 0.0
    lateral: list[float] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)


@torch.no_grad()
def drive(env: Any, seed: int, driver: ALVINN | None, film: bool = False) -> Drive:
    """Drive a loop to its end, or to where the car leaves the road; without a driver straight on."""
    seen, info = env.reset(seed=seed)
    found, lighter, over = Drive(length=info["length"]), None, False
    while not over:
        steering = torch.zeros(1)
        if driver is not None:
            steering, lighter = driver.drive(torch.from_numpy(seen).unsqueeze(0), lighter)
        if film:
            found.pictures.append(env.render())
        seen, came, ended, truncated, info = env.step(steering.numpy())
        over = ended or truncated
        found.metres += came
        found.lateral.append(abs(info["lateral"]))
    found.around = info["around"]
    return found


def drives(loops: int, driver: ALVINN | None) -> dict[str, float]:
    """Return how many of so many loops were driven around, the mean of their metres, and how far off the middle."""
    env = EnvironmentDataModule("dlmodules/ALVINNRoad-v0").make_env()
    found = [drive(env, FIRST_SEED + number, driver) for number in range(loops)]
    return {
        "around": sum(one.around for one in found) / loops,
        "metres": float(np.mean([one.metres for one in found])),
        "part": float(np.mean([min(1.0, one.metres / one.length) for one in found])),
        "lateral": float(np.mean([value for one in found for value in one.lateral])),
    }


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then let the network drive around loops, and a car straight on."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, ALVINN)
    loops = 1 if context.quick else LOOPS
    driven = {f"loops/{name}": value for name, value in drives(loops, module).items()}
    straight = {f"straight/{name}": value for name, value in drives(loops, None).items()}
    straight["straight/within_2"] = within_2_of_straight(scores.data_of_run(row, seed, context, record))
    return replace(record, metrics={**record.metrics, **driven, **straight})


def within_2_of_straight(data: Any) -> float:
    """Return the part of the test roads on which it is right to drive straight on, to within two of 45 units."""
    return float((data.test_set.fields[1][:, 0].abs() <= NEAR).float().mean())


def draw(module: ALVINN, folder: Path, seed: int = FIRST_SEED, every: int = 12) -> None:
    """Draw a film of a loop, what roads look like to the network and what it answers, and views of one frame."""
    folder.mkdir(parents=True, exist_ok=True)
    env = EnvironmentDataModule("dlmodules/ALVINNRoad-v0").make_env(render_mode="rgb_array")
    write_gif(folder / "loop.gif", drive(env, seed, module, film=True).pictures[::every], fps=5)
    _draw_answers(module, folder / "answers.png")
    _draw_weights(module, folder / "weights.png")
    _draw_views(folder / "views.png")


def _draw_answers(module: ALVINN, path: Path) -> None:
    """Draw roads of the test: the retina, the range finder, and the outputs beside what they should be."""
    from matplotlib.figure import Figure

    from datamodules import SyntheticRoadsDataModule

    data = SyntheticRoadsDataModule(batch_size=6, test_size=6)
    data.setup("test")
    x, y = next(iter(data.test_dataloader()))
    with torch.no_grad():
        outputs, wanted = module(x), module.targets(y)
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    axes = figure.subplots(3, len(x), height_ratios=(30, 8, 14))
    for column, (blue, near, found, target) in enumerate(zip(*pictures_of(x), outputs, wanted, strict=True)):
        axes[0, column].imshow(blue.numpy(), cmap="gray", vmin=0, vmax=1)
        axes[1, column].imshow(near.numpy(), cmap="gray", vmin=0, vmax=1)
        axes[2, column].bar(range(UNITS), found[:UNITS].tolist(), width=1.0, color="#4c72b0")
        axes[2, column].plot(range(UNITS), target[:UNITS].tolist(), color="#c44e52")
        axes[2, column].set(
            ylim=(0, 1.05), xticks=[0, UNITS // 2, UNITS - 1], xticklabels=["left", "0", "right"], yticks=[]
        )
        for picture in axes[:2, column]:
            picture.set_axis_off()
    figure.savefig(path, dpi=80)


def _draw_weights(module: ALVINN, path: Path) -> None:
    """Draw the weights of ten hidden units from the retina, and below each those to the 45 units of the steering."""
    from matplotlib.figure import Figure

    first, last = (layer.weight.detach() for layer in module.network if isinstance(layer, nn.Linear))
    units = last[:UNITS].square().sum(dim=0).argsort(descending=True)[:10].tolist()
    figure = Figure(figsize=(12, 2.2), layout="constrained")
    axes = figure.subplots(2, len(units), height_ratios=(30, 6))
    for column, unit in enumerate(units):
        (weights,), _ = pictures_of(first[unit].unsqueeze(0))
        for axis, picture in zip(axes[:, column], (weights, last[:UNITS, unit].view(1, -1)), strict=True):
            largest = float(picture.abs().max())
            axis.imshow(picture.numpy(), cmap="gray", vmin=-largest, vmax=largest, aspect="auto")
            axis.set_axis_off()
    figure.savefig(path, dpi=80)


def _draw_views(path: Path) -> None:
    """Draw a frame of a driver, and above each other what it becomes to the side of it and turned."""
    from matplotlib.figure import Figure

    from datamodules import SyntheticRoadsDataModule

    data = SyntheticRoadsDataModule(num_images=1, val_size=0, driver=True)
    data.setup("fit")
    assert data.train_set is not None
    x, y = data.train_set.fields
    shift, turn = torch.linspace(-1.5, 1.5, 5), torch.linspace(-20.0, 20.0, 5)
    none = torch.zeros(5)
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    axes = figure.subplots(2, 5)
    for row, unit, aside, degrees in ((axes[0], "m", shift, none), (axes[1], "degrees", none, turn)):
        angle = degrees.deg2rad()
        seen, steering = seen_from(x.expand(5, -1), aside, angle), steering_from(y[:, 0].expand(5), aside, angle)
        # One of both is 0.
        blue, _ = pictures_of(seen)
        for axis, picture, place, wanted in zip(row, blue, (aside + degrees).tolist(), steering.tolist(), strict=True):
            axis.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(f"{place:+.4g} {unit}: steering {wanted:+.2f}", fontsize=11)
            axis.set_axis_off()
    figure.savefig(path, dpi=80)


def main(args: Sequence[str] | None = None) -> None:
    """Draw the pictures of a checkpoint."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.programs.driving", description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    chosen = parser.parse_args(args)
    module = load_module(chosen.checkpoint).eval()
    assert isinstance(module, ALVINN)
    draw(module, chosen.folder)


if __name__ == "__main__":
    main()
