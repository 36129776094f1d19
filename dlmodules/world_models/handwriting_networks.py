"""The recurrent networks of handwriting: one that goes on writing, and one that writes a given text."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.layers.recurrent import make_recurrent
from dlmodules.protocols import PAD
from dlmodules.training.clipping import limit_gradient
from dlmodules.validation.arguments import check_at_least_one, check_dropout, check_positive

FAR_BEHIND = 4.0
"""By how much the place behind a text must outweigh each character. The window moves on while the last stroke is yet
to come, as that of Q is, and with the paper's 1 some lines end before it."""

Hidden = tuple[Tensor, Tensor]
"""An LSTM's output and cell, each ``(1, B, H)``."""


class Window(NamedTuple):
    """Where a network is in the texts that it writes.

    Args:
        text: ``(B, L, C)``, each character as a one-hot vector, zeros behind a shorter text.
        lengths: how many characters each text has, ``(B,)`` int64.
        place: ``(B, K)``, where each of the K Gaussians has its mean; the first character is at 1.
        seen: ``(B, C)``, the characters by the weights that they have.
        weights: ``(B, L + 1)``, those weights, and the one that a character behind the text would have.
    """

    text: Tensor
    lengths: Tensor
    place: Tensor
    seen: Tensor
    weights: Tensor

    @property
    def passed(self) -> Tensor:
        """Whether the window is behind the last character of each text, ``(B,)`` bool.

        As in section 5.3 of Graves 2013, but for ``FAR_BEHIND``.
        """
        behind = self.weights.gather(1, self.lengths[:, None])
        places = torch.arange(self.weights.shape[1], device=self.weights.device)
        inside = places < self.lengths[:, None]
        return (behind > FAR_BEHIND * self.weights.masked_fill(~inside, 0.0)).all(dim=1)


class State(NamedTuple):
    """What a network remembers of the lines so far.

    Args:
        hidden: of each layer.
        window: None for a network that writes no text.
    """

    hidden: list[Hidden]
    window: Window | None = None


class HandwritingNetwork(nn.Module):
    """LSTMs that read points of a pen and describe the next one (Graves 2013, section 4).

    Each layer reads the point and the layer below, and all together give the output.

    Args:
        hidden_dim: units of each layer.
        layers: how many.
        components: K, Gaussians of the mixture.
        dropout: fraction of the outputs of each layer that are set to 0 in training.
        context_dim: numbers that each layer reads besides; a child sees to them.
    """

    gradient_limit: Tensor | None = None
    """The largest derivative of the loss by an output of a layer, which the training sets; None for any."""

    def __init__(
        self,
        hidden_dim: int = 400,
        layers: int = 3,
        components: int = 20,
        dropout: float = 0.0,
        context_dim: int = 0,
    ) -> None:
        check_at_least_one(hidden_dim=hidden_dim, layers=layers, components=components)
        check_dropout(dropout)
        super().__init__()
        self.hidden_dim, self.layers, self.components = hidden_dim, layers, components
        self.dropout, self.context_dim = dropout, context_dim
        sizes = [3 + context_dim] + [3 + context_dim + hidden_dim] * (layers - 1)
        self.lstms = nn.ModuleList(make_recurrent("lstm", size, hidden_dim) for size in sizes)
        self.output = nn.Linear(layers * hidden_dim, 1 + 6 * components)

    @override
    def forward(self, x: Tensor, text: Tensor | None = None) -> Tensor:
        """Return what comes behind each of the points ``x`` ``(B, T, 3)``, ``(B, T, 1 + 6K)``.

        The first number is the logit that the pen is lifted, the others are those of ``split_bivariate``. ``text``,
        characters ``(B, L)`` int64, is for networks that write one.
        """
        return self.read(x, self.start(x.new_zeros(len(x), 0, dtype=torch.int64) if text is None else text))[0]

    def start(self, text: Tensor) -> State:
        """Return the state before the first point of lines with the characters ``text`` ``(B, L)``, as many lines."""
        zeros = self.output.weight.new_zeros(1, len(text), self.hidden_dim)
        return State([(zeros, zeros)] * self.layers)

    def read(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Read points ``x`` ``(B, T, 3)``; return what comes behind each, ``(B, T, 1 + 6K)``, and the state."""
        first, inputs, window, last = self.read_first(x, state)
        outputs, hidden = [self._thinned(first)], [last]
        for lstm, before in zip(list(self.lstms)[1:], state.hidden[1:], strict=True):
            found, after = lstm(torch.cat([inputs, outputs[-1]], dim=2), before)
            outputs.append(self._thinned(self.limited(found)))
            hidden.append(after)
        described: Tensor = self.output(torch.cat(outputs, dim=2))
        return described, State(hidden, window)

    def read_first(self, x: Tensor, state: State) -> tuple[Tensor, Tensor, Window | None, Hidden]:
        """Let the first layer read ``x`` ``(B, T, 3)``.

        Returns its outputs ``(B, T, H)``, what the layers above read besides, the window and the layer's state.
        """
        outputs, hidden = self.lstms[0](x, state.hidden[0])
        return self.limited(outputs), x, None, hidden

    def _thinned(self, outputs: Tensor) -> Tensor:
        return F.dropout(outputs, self.dropout, self.training)

    def limited(self, outputs: Tensor) -> Tensor:
        """Return outputs of a layer, whose derivatives will be clipped to ``gradient_limit``."""
        if self.gradient_limit is not None and outputs.requires_grad:
            limit_gradient(outputs, self.gradient_limit)
        return outputs


class SynthesisNetwork(HandwritingNetwork):
    """One that writes a text, at which its first layer looks through a window that moves on (Graves 2013, section 5).

    The window is a mixture of Gaussians over the places of the characters, whose means only rise. What is seen through
    it at a point goes to the layers above, and to the first layer at the next point.

    Args:
        characters: how many there are; a text has their numbers from 1 on, and 0 behind its end.
        windows: Gaussians of the window.
        points_per_character: how fast the window moves before anything is learned.
        hidden_dim: units of each layer.
        layers: how many.
        components: K, Gaussians of the mixture.
        dropout: fraction of the outputs of each layer that are set to 0 in training; the window sees all.
    """

    def __init__(
        self,
        characters: int,
        windows: int = 10,
        points_per_character: float = 25.0,
        hidden_dim: int = 400,
        layers: int = 3,
        components: int = 20,
        dropout: float = 0.0,
    ) -> None:
        check_at_least_one(characters=characters, windows=windows)
        check_positive(points_per_character=points_per_character)
        super().__init__(hidden_dim, layers, components, dropout, context_dim=characters)
        self.characters, self.windows, self.points_per_character = characters, windows, points_per_character
        self.look = nn.Linear(self.hidden_dim, 3 * windows)
        # Before anything is learned the weights of a character sum to about 1, and the window moves at the given pace.
        nn.init.normal_(self.look.weight, std=0.01)
        with torch.no_grad():
            height, sharpness, step = self.look.bias.chunk(3)
            height.fill_(-torch.tensor(float(windows)).log())
            sharpness.zero_()
            step.fill_(-torch.tensor(points_per_character).log())

    @override
    def start(self, text: Tensor) -> State:
        one_hot = F.one_hot(text, self.characters + 1)[:, :, 1:].to(self.output.weight.dtype)
        n, length = text.shape
        window = Window(
            one_hot,
            (text != PAD).sum(dim=1),
            one_hot.new_zeros(n, self.windows),
            one_hot.new_zeros(n, self.characters),
            one_hot.new_zeros(n, length + 1),
        )
        return State(super().start(text).hidden, window)

    @override
    def read_first(self, x: Tensor, state: State) -> tuple[Tensor, Tensor, Window | None, Hidden]:
        window, hidden = state.window, state.hidden[0]
        assert window is not None
        outputs, seen = [], []
        for point in x.split(1, dim=1):  # type: ignore[no-untyped-call]
            output, hidden = self.lstms[0](torch.cat([point, window.seen[:, None]], dim=2), hidden)
            window = self.moved(self.limited(output)[:, 0], window)
            outputs.append(output)
            seen.append(window.seen)
        return torch.cat(outputs, dim=1), torch.cat([x, torch.stack(seen, dim=1)], dim=2), window, hidden

    def moved(self, output: Tensor, window: Window) -> Window:
        """Return the window after an output ``(B, H)`` of the first layer (Graves 2013, eq. 46 to 51)."""
        height, sharpness, step = self.look(output).exp().unsqueeze(-1).chunk(3, dim=1)
        place = window.place + step[..., 0]
        characters = torch.arange(1, window.weights.shape[1] + 1, device=output.device)
        weights = (height * (-sharpness * (place.unsqueeze(-1) - characters).square()).exp()).sum(dim=1)
        seen = torch.bmm(weights[:, None, :-1], window.text)[:, 0]
        return window._replace(place=place, seen=seen, weights=weights)
