"""A picture of the values that an agent gives to the states of a plane."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from dlmodules.errors import UserError
from dlmodules.protocols import Acts


class ValueMap(PlottingCallback):
    """Plots the value of the best action, and which one that is, over two of the numbers of an observation.

    Works with any agent whose ``forward`` maps observations ``(B, D)`` to values ``(B, A)``, or ``(B, 1)`` of states.
    The picture is ``value_map``.

    Args:
        low: least value of the two numbers.
        high: largest value.
        axes: places of the two in an observation.
        at: the other numbers, in an observation of as many as this; None sets them to 0.
        names: what the two are called.
        size: states on each side of the plane.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.

    Raises:
        UserError: there are not two of them, or ``low`` is not below ``high``.
    """

    needs: ClassVar[tuple[type, ...]] = (Acts,)
    picture: ClassVar[str] = "value_map"

    def __init__(
        self,
        low: Sequence[float],
        high: Sequence[float],
        axes: Sequence[int] = (0, 1),
        at: Sequence[float] | None = None,
        names: Sequence[str] = ("first number", "second number"),
        size: int = 100,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if not len(low) == len(high) == len(axes) == len(names) == 2:
            raise UserError("ValueMap: low, high, axes and names are of two numbers each")
        if low[0] >= high[0] or low[1] >= high[1] or size < 2:
            raise UserError("ValueMap: low must be below high, and size 2 or more")
        self.low, self.high, self.axes, self.names = tuple(low), tuple(high), tuple(axes), tuple(names)
        self.at = None if at is None else tuple(at)
        self.size = size

    def states(self, observation_dim: int) -> Tensor:
        """Return the states ``(size * size, observation_dim)`` of the plane, the first number changing slowest."""
        lines = [torch.linspace(self.low[i], self.high[i], self.size) for i in (0, 1)]
        states = torch.zeros(self.size**2, observation_dim)
        if self.at is not None:
            states[:] = torch.tensor(self.at)
        states[:, self.axes] = torch.cartesian_prod(*lines)
        return states

    @override
    @torch.no_grad()
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]  # set by fit
        with undisturbed(trainer, pl_module):
            panels = self.panels(pl_module, self.states(datamodule.observation_dim).to(pl_module.device))
        save_figure(trainer, self.picture, self._figure(panels))

    def panels(self, agent: Any, states: Tensor) -> list[tuple[str, Tensor]]:
        """Return what is plotted of an agent, with titles: a number for each of the states ``(N, D)``, on the CPU."""
        values = agent(states).cpu()
        best, action = values.max(1)
        if values.shape[1] == 1:
            return [("value", best)]
        return [("value of the best action", best), ("best action", action)]

    def _figure(self, panels: list[tuple[str, Tensor]]) -> Any:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5 * len(panels), 4), layout="constrained")
        extent = (self.low[0], self.high[0], self.low[1], self.high[1])
        for axes, (title, numbers) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
            picture = numbers.reshape(self.size, self.size).T
            shown = axes.imshow(picture, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
            axes.set(title=title, xlabel=self.names[0], ylabel=self.names[1])
            numbered = title == "best action"
            figure.colorbar(shown, ax=axes, ticks=range(int(picture.max()) + 1) if numbered else None)
        return figure
