"""Recurrent cells written out, as the books have them: to be read, stepped through and subclassed.

Torch's own layers are many times faster on long sequences, and two of the cells equal them (``LSTMCell`` torch's LSTM,
``VanillaCell`` torch's RNN); its GRU is another one than ``GRUCell``.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

State = tuple[Tensor, ...]
"""What a cell hands to its next step, each ``(B, hidden_dim)``; the first is its output."""

Activation = Literal["tanh", "sigmoid", "relu", "identity"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "identity": lambda x: x,
}


class RecurrentCell(nn.Module):
    """Base of the cells: a child implements ``step``, and ``forward`` runs it over a sequence.

    Args:
        input_dim: numbers of an input.
        hidden_dim: numbers of each part of the state.
    """

    state_parts = 1

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        check_at_least_one(input_dim=input_dim, hidden_dim=hidden_dim)
        self.input_dim = input_dim
        self.hidden_dim = hidden_dim

    def reset_parameters(self) -> None:
        """Draw all weights uniformly from ±1 / sqrt(hidden_dim), as torch's recurrent layers do."""
        bound = self.hidden_dim**-0.5
        for weights in self.parameters():
            nn.init.uniform_(weights, -bound, bound)

    def step(self, x: Tensor, state: State) -> State:
        """Return the state after one input ``(B, input_dim)``."""
        raise NotImplementedError

    def initial_state(self, x: Tensor) -> State:
        """Return the state before the first of the inputs ``(B, T, input_dim)``: zeros."""
        return tuple(x.new_zeros(len(x), self.hidden_dim) for _ in range(self.state_parts))

    @override
    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the outputs ``(B, T, hidden_dim)`` of inputs ``(B, T, input_dim)``, and the state after the last.

        Raises:
            UserError: inputs of another shape.
        """
        if x.ndim != 3 or x.shape[1] == 0 or x.shape[2] != self.input_dim:
            raise UserError(
                f"{type(self).__name__} needs a sequence (B, T, {self.input_dim}), T >= 1; these are {list(x.shape)}"
            )
        state = self.initial_state(x) if state is None else state
        outputs = []
        for x_t in x.unbind(dim=1):
            state = self.step(x_t, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state


class VanillaCell(RecurrentCell):
    """The simple recurrent cell: s_t = f(s_{t-1} W + x_t U).

    Paper: Elman 1990, Finding Structure in Time.
    Books: vasilev 7.1.

    Args:
        input_dim: numbers of an input.
        hidden_dim: numbers of the state.
        activation: f; ``identity`` makes the cell linear, as that which counts ones.
        bias: add a bias, which the book's formula lacks.
    """

    def __init__(self, input_dim: int, hidden_dim: int, activation: Activation = "tanh", bias: bool = False) -> None:
        super().__init__(input_dim, hidden_dim)
        if activation not in ACTIVATIONS:
            raise UserError(f"activation is {activation!r}; it must be {', '.join(ACTIVATIONS)}")
        self.activation = activation
        self.bias = bias
        self.from_input = nn.Linear(input_dim, hidden_dim, bias)
        self.from_state = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.reset_parameters()

    @override
    def step(self, x: Tensor, state: State) -> State:
        (s,) = state
        return (ACTIVATIONS[self.activation](self.from_state(s) + self.from_input(x)),)


class LSTMCell(RecurrentCell):
    """Long short-term memory: gates say what is forgotten, stored and shown. Its state is ``(h, c)``.

    f, i, o = sigmoid(W x + U h), each with weights of its own; c' = tanh(W_c x + U_c h);
    c = f * c_prev + i * c'; h = o * tanh(c). The rows of the weights are in torch's order: i, f, c', o.

    Paper: Hochreiter & Schmidhuber 1997, Long Short-Term Memory; Gers et al. 2000, Learning to Forget (the gate f).
    Books: vasilev 7.6.

    Args:
        input_dim: numbers of an input.
        hidden_dim: numbers of h and of c.
        bias: add a bias to each gate and to c', which the book's equations lack.
        forget_bias: first value of the forget gate's bias, where there is one; Keras' is 1, and None draws it as torch
            does.
    """

    state_parts = 2

    def __init__(self, input_dim: int, hidden_dim: int, bias: bool = False, forget_bias: float | None = None) -> None:
        super().__init__(input_dim, hidden_dim)
        if forget_bias is not None and not bias:
            raise UserError(f"forget_bias is {forget_bias}, but the cell has no biases: set bias to true")
        self.bias = bias
        self.forget_bias = forget_bias
        self.from_input = nn.Linear(input_dim, 4 * hidden_dim, bias)
        self.from_state = nn.Linear(hidden_dim, 4 * hidden_dim, bias=False)
        self.reset_parameters()

    @override
    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.forget_bias is not None:
            nn.init.constant_(self.from_input.bias.data[self.hidden_dim : 2 * self.hidden_dim], self.forget_bias)

    @override
    def step(self, x: Tensor, state: State) -> State:
        h, c = state
        i, f, candidate, o = (self.from_input(x) + self.from_state(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(candidate)
        return torch.sigmoid(o) * torch.tanh(c), c


class GRUCell(RecurrentCell):
    """The gated recurrent unit as it was published: the state is reset before the matrix product.

    z, r = sigmoid(W x + U h), each with weights of its own; h' = tanh(W x + U (r * h)); h = (1 - z) h_prev + z h'.
    Torch's GRU is another network: it multiplies by r after the product, and its z is 1 - z here. The rows of the
    weights are in the order z, r, h'.

    Paper: Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder (arXiv:1406.1078).
    Books: vasilev 7.7, foster F6.5.

    Args:
        input_dim: numbers of an input.
        hidden_dim: numbers of the state.
        bias: add a bias to each gate and to h', which the books' equations lack.
    """

    def __init__(self, input_dim: int, hidden_dim: int, bias: bool = False) -> None:
        super().__init__(input_dim, hidden_dim)
        self.bias = bias
        self.from_input = nn.Linear(input_dim, 3 * hidden_dim, bias)
        self.gates_from_state = nn.Linear(hidden_dim, 2 * hidden_dim, bias=False)
        self.candidate_from_state = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.reset_parameters()

    @override
    def step(self, x: Tensor, state: State) -> State:
        (h,) = state
        z_input, r_input, candidate_input = self.from_input(x).chunk(3, dim=1)
        z_state, r_state = self.gates_from_state(h).chunk(2, dim=1)
        z, r = torch.sigmoid(z_input + z_state), torch.sigmoid(r_input + r_state)
        candidate = torch.tanh(candidate_input + self.candidate_from_state(r * h))
        return ((1 - z) * h + z * candidate,)


class StackedCells(nn.Module):
    """Recurrent cells on top of each other: each reads the outputs of the one below, s_t^l = f(s_{t-1}^l, y_t^{l-1}).

    Books: vasilev 7.2.

    Args:
        cells: from the bottom up, one or more; each takes as many numbers as the one below has.

    Raises:
        UserError: no cells, or cells that do not fit on each other.
    """

    def __init__(self, cells: Sequence[RecurrentCell]) -> None:
        super().__init__()
        if not cells:
            raise UserError("StackedCells needs one cell or more")
        for below, above in pairwise(cells):
            if below.hidden_dim != above.input_dim:
                raise UserError(
                    f"a cell with input_dim={above.input_dim} cannot read one of hidden_dim={below.hidden_dim}"
                )
        self.cells = nn.ModuleList(cells)

    def step(self, x: Tensor, states: Sequence[State]) -> list[State]:
        """Return the state of each cell after one input ``(B, input_dim)``; the output is ``[-1][0]``."""
        found: list[State] = []
        for cell, state in zip(self._cells(), states, strict=True):
            found.append(cell.step(x, state))
            x = found[-1][0]
        return found

    def initial_state(self, x: Tensor) -> list[State]:
        """Return the state of each cell before the first of the inputs ``(B, T, input_dim)``: zeros."""
        return [cell.initial_state(x) for cell in self._cells()]

    @override
    def forward(self, x: Tensor, states: Sequence[State] | None = None) -> tuple[Tensor, list[State]]:
        """Return the top cell's outputs ``(B, T, hidden_dim)``, and the state of each cell after the last input."""
        states = self.initial_state(x) if states is None else states
        after: list[State] = []
        for cell, state in zip(self._cells(), states, strict=True):
            x, last = cell(x, state)
            after.append(last)
        return x, after

    def _cells(self) -> list[RecurrentCell]:
        return [cell for cell in self.cells if isinstance(cell, RecurrentCell)]
