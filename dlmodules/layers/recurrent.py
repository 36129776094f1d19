"""Recurrent layers with Keras' initial weights."""

from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["rnn", "lstm", "gru"]
CELLS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def make_recurrent(
    cell: Cell, input_dim: int, hidden_dim: int, num_layers: int = 1, bidirectional: bool = False
) -> nn.RNNBase:
    """Return a recurrent layer over ``(B, T, input_dim)`` with Keras' initial weights.

    Glorot-uniform from the input, orthogonal from state to state (the gates' matrices as one, as Keras has it), zero
    biases but 1 for an LSTM's forget gate.
    """
    layer = CELLS[cell](input_dim, hidden_dim, num_layers, batch_first=True, bidirectional=bidirectional)
    for name, weights in layer.named_parameters():
        if "bias" in name:
            nn.init.zeros_(weights)
            if cell == "lstm" and "bias_ih" in name:
                nn.init.ones_(weights.data[hidden_dim : 2 * hidden_dim])  # gates in torch's order: i, f, g, o
        elif "_hh" in name:
            nn.init.orthogonal_(weights)
        else:
            nn.init.xavier_uniform_(weights)
    return layer


def last_state(layer: nn.RNNBase, sequence: Tensor) -> Tensor:
    """Return the last layer's state ``(B, hidden_dim)`` after ``(B, T, D)``; both directions' side by side."""
    _, state = layer(sequence)
    hidden: Tensor = state[0] if isinstance(state, tuple) else state  # an LSTM's cell state is no output
    if not layer.bidirectional:
        return hidden[-1]
    return torch.cat([hidden[-2], hidden[-1]], dim=1)
