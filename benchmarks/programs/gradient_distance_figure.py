"""Plot how gradients vanish and explode with distance: ``python -m benchmarks.programs.gradient_distance_figure``.

Left the powers of a weight, the factor of the gradient in a linear network with one number of state. Right what other
cells with their first weights make of it: norm of the gradient of a loss at the last state by the input so many steps
before, relative to that by the last input; the geometric mean over networks. Nothing here is trained.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from torch import nn

from benchmarks.record import ROOT
from dlmodules.layers import GRUCell, LSTMCell, VanillaCell
from dlmodules.layers.recurrent_cells import RecurrentCell

PATH = ROOT / "docs" / "images" / "counting_rnn" / "gradient_distance.png"
STEPS, INPUTS, UNITS, BATCH, NETWORKS = 101, 16, 64, 16, 10
WEIGHTS = (1.5, 1.1, 1.0, 0.9, 0.6)

Floats = npt.NDArray[np.float64]


def wide(cell: VanillaCell) -> VanillaCell:
    """Return ``cell`` with four times the weights from state to state."""
    with torch.no_grad():
        cell.from_state.weight *= 4
    return cell


def orthogonal(cell: VanillaCell) -> VanillaCell:
    """Return ``cell`` with orthogonal weights from state to state, as Keras draws them."""
    nn.init.orthogonal_(cell.from_state.weight)
    return cell


CELLS: dict[str, Callable[[], RecurrentCell]] = {
    "tanh": lambda: VanillaCell(INPUTS, UNITS),
    "tanh, orthogonal W": lambda: orthogonal(VanillaCell(INPUTS, UNITS)),
    "tanh, four times W": lambda: wide(VanillaCell(INPUTS, UNITS)),
    "GRU": lambda: GRUCell(INPUTS, UNITS),
    "LSTM": lambda: LSTMCell(INPUTS, UNITS),
    "LSTM, forget bias 1": lambda: LSTMCell(INPUTS, UNITS, bias=True, forget_bias=1.0),
    "LSTM, forget bias 3": lambda: LSTMCell(INPUTS, UNITS, bias=True, forget_bias=3.0),
}
"""All weights uniform in ±1 / sqrt(UNITS), torch's default, where a name says nothing else."""


def gradient_norms(make: Callable[[], RecurrentCell], networks: int = NETWORKS, steps: int = STEPS) -> Floats:
    """Return the relative norms ``(steps,)`` by the distance of the input from the end, for networks that ``make`` has.

    Inputs are standard normal; the loss is a random weighted sum of the last state.
    """
    logs = []
    for seed in range(networks):
        torch.manual_seed(seed)
        cell = make().double()
        x = torch.randn(BATCH, steps, INPUTS, dtype=torch.float64, requires_grad=True)
        loss = (cell(x)[0][:, -1] @ torch.randn(UNITS, dtype=torch.float64)).sum()
        (gradient,) = torch.autograd.grad(loss, x)
        logs.append(gradient.norm(dim=2).mean(0).log().flip(0).numpy())
    mean: Floats = np.mean(logs, 0)
    relative: Floats = np.exp(mean - mean[0])
    return relative


def draw(path: Path = PATH, networks: int = NETWORKS) -> None:
    """Plot the figure into ``path``."""
    figure = Figure(figsize=(11, 4.4), dpi=110, layout="constrained")
    powers, cells = figure.subplots(1, 2)
    distance = np.arange(STEPS)
    for weight in WEIGHTS:
        powers.plot(distance, weight ** distance.astype(float), label=f"W = {weight}")
    for name, make in CELLS.items():
        cells.plot(distance, gradient_norms(make, networks), label=name)
    powers.set(title="powers of a weight, W^m", ylabel="factor of the gradient", ylim=(1e-20, 1e20))
    cells.set(title=f"untrained cells of {UNITS} units", ylabel="norm of the gradient, relative", ylim=(1e-20, 1e20))
    for axes in (powers, cells):
        axes.set(xlabel="distance m from the end, steps", yscale="log")
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


if __name__ == "__main__":
    draw()
    print(PATH)
