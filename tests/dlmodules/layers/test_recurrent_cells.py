"""The recurrent cells beside the books' formulas in numpy, beside torch's layers, and step by step."""

import numpy as np
import pytest
import torch
from torch import nn

from dlmodules.errors import UserError
from dlmodules.layers import GRUCell, LSTMCell, StackedCells, VanillaCell

INPUTS, UNITS, STEPS, BATCH = 3, 4, 6, 2
EVERY_CELL = [
    VanillaCell(INPUTS, UNITS),
    VanillaCell(INPUTS, UNITS, "relu", bias=True),
    LSTMCell(INPUTS, UNITS, bias=True),
    GRUCell(INPUTS, UNITS),
]
every_cell = pytest.mark.parametrize("cell", EVERY_CELL, ids=["tanh", "relu", "lstm", "gru"])


@pytest.fixture
def x():
    return torch.randn(BATCH, STEPS, INPUTS, generator=torch.Generator().manual_seed(0))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def array(tensor):
    return tensor.detach().double().numpy()


def transposed(*layers):
    """The weights of linear layers as the books write them: to the right of a row."""
    return [array(layer.weight).T for layer in layers]


@pytest.mark.parametrize(
    ("activation", "f"), [("tanh", np.tanh), ("sigmoid", sigmoid), ("relu", lambda x: np.maximum(x, 0))]
)
def test_the_vanilla_cell_by_hand(x, activation, f):
    cell = VanillaCell(INPUTS, UNITS, activation)
    u, w = transposed(cell.from_input, cell.from_state)
    s, found = np.zeros((BATCH, UNITS)), []
    for x_t in array(x).transpose(1, 0, 2):
        s = f(s @ w + x_t @ u)
        found.append(s)
    np.testing.assert_allclose(array(cell(x)[0]), np.stack(found, 1), atol=1e-6)


@pytest.mark.parametrize("bias", [False, True])
def test_the_lstm_by_hand(x, bias):
    cell = LSTMCell(INPUTS, UNITS, bias)
    wi, wf, wc, wo = np.split(array(cell.from_input.weight).T, 4, axis=1)
    ui, uf, uc, uo = np.split(array(cell.from_state.weight).T, 4, axis=1)
    bi, bf, bc, bo = np.split(array(cell.from_input.bias), 4) if bias else np.zeros((4, UNITS))
    h = c = np.zeros((BATCH, UNITS))
    found = []
    for x_t in array(x).transpose(1, 0, 2):
        f = sigmoid(x_t @ wf + h @ uf + bf)
        i = sigmoid(x_t @ wi + h @ ui + bi)
        c = f * c + i * np.tanh(x_t @ wc + h @ uc + bc)
        o = sigmoid(x_t @ wo + h @ uo + bo)
        h = o * np.tanh(c)
        found.append(h)
    outputs, state = cell(x)
    np.testing.assert_allclose(array(outputs), np.stack(found, 1), atol=1e-6)
    np.testing.assert_allclose(array(state[1]), c, atol=1e-6)


def books_gru(cell, x, reset_before=True):
    """The books' formulas; or, as in torch's layer, the state reset after the product."""
    wz, wr, w = np.split(array(cell.from_input.weight).T, 3, axis=1)
    uz, ur = np.split(array(cell.gates_from_state.weight).T, 2, axis=1)
    (u,) = transposed(cell.candidate_from_state)
    h, found = np.zeros((BATCH, UNITS)), []
    for x_t in array(x).transpose(1, 0, 2):
        z = sigmoid(x_t @ wz + h @ uz)
        r = sigmoid(x_t @ wr + h @ ur)
        candidate = np.tanh(x_t @ w + ((r * h) @ u if reset_before else r * (h @ u)))
        h = (1 - z) * h + z * candidate
        found.append(h)
    return np.stack(found, 1)


def test_the_gru_by_hand(x):
    cell = GRUCell(INPUTS, UNITS)
    np.testing.assert_allclose(array(cell(x)[0]), books_gru(cell, x), atol=1e-6)


def torchs_gru(cell):
    """Torch's layer with the weights of ``cell``. Its gates are r, z, n, and its z is what stays: 1 - z here."""
    layer = nn.GRU(INPUTS, UNITS, batch_first=True, bias=False)
    z, r, candidate = cell.from_input.weight.data.chunk(3)
    z_state, r_state = cell.gates_from_state.weight.data.chunk(2)
    layer.weight_ih_l0.data = torch.cat([r, -z, candidate])
    layer.weight_hh_l0.data = torch.cat([r_state, -z_state, cell.candidate_from_state.weight.data])
    return layer


def test_torchs_gru_is_another_network(x):
    """With the same weights it differs by the place of the reset, and by nothing else."""
    cell = GRUCell(INPUTS, UNITS)
    for weights in cell.parameters():
        weights.data *= 2
    theirs = array(torchs_gru(cell)(x)[0])
    ours = array(cell(x)[0])
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], atol=1e-6)  # a state of zeros has nothing to reset
    assert np.abs(ours - theirs).max() > 0.01
    np.testing.assert_allclose(theirs, books_gru(cell, x, reset_before=False), atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [False, True])
def test_the_vanilla_cell_is_torchs(x, activation, bias):
    cell = VanillaCell(INPUTS, UNITS, activation, bias)
    layer = nn.RNN(INPUTS, UNITS, nonlinearity=activation, bias=bias, batch_first=True)
    copy_weights(cell, layer)
    assert torch.allclose(cell(x)[0], layer(x)[0], atol=1e-6)


@pytest.mark.parametrize("bias", [False, True])
def test_the_lstm_is_torchs(x, bias):
    cell, layer = LSTMCell(INPUTS, UNITS, bias), nn.LSTM(INPUTS, UNITS, bias=bias, batch_first=True)
    copy_weights(cell, layer)
    outputs, (h, c) = layer(x)
    ours, state = cell(x)
    assert torch.allclose(ours, outputs, atol=1e-6)
    assert torch.allclose(state[0], h[0], atol=1e-6)
    assert torch.allclose(state[1], c[0], atol=1e-6)


def copy_weights(cell, layer, number=0):
    getattr(layer, f"weight_ih_l{number}").data = cell.from_input.weight.data
    getattr(layer, f"weight_hh_l{number}").data = cell.from_state.weight.data
    if cell.bias:  # torch's second bias does nothing that the first does not
        getattr(layer, f"bias_ih_l{number}").data = cell.from_input.bias.data
        getattr(layer, f"bias_hh_l{number}").data.zero_()


def test_stacked_cells_are_torchs_layers(x):
    cells = [LSTMCell(INPUTS, 5), LSTMCell(5, UNITS)]
    single = [nn.LSTM(cell.input_dim, cell.hidden_dim, bias=False, batch_first=True) for cell in cells]
    for cell, layer in zip(cells, single, strict=True):
        copy_weights(cell, layer)
    assert torch.allclose(StackedCells(cells)(x)[0], single[1](single[0](x)[0])[0], atol=1e-6)
    cells = [VanillaCell(INPUTS, UNITS), VanillaCell(UNITS, UNITS)]
    layer = nn.RNN(INPUTS, UNITS, num_layers=2, bias=False, batch_first=True)
    for number, cell in enumerate(cells):
        copy_weights(cell, layer, number)
    assert torch.allclose(StackedCells(cells)(x)[0], layer(x)[0], atol=1e-6)


@every_cell
def test_steps_are_the_sequence_and_a_sequence_goes_on(x, cell):
    state = cell.initial_state(x)
    outputs, last = cell(x)
    for t in range(STEPS):
        state = cell.step(x[:, t], state)
        assert torch.allclose(state[0], outputs[:, t], atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(state, last, strict=True))
    first, between = cell(x[:, :2])
    second, _ = cell(x[:, 2:], between)
    assert torch.allclose(torch.cat([first, second], 1), outputs, atol=1e-6)


def test_stacked_steps_are_the_sequence(x):
    stack = StackedCells([GRUCell(INPUTS, 5), LSTMCell(5, UNITS), VanillaCell(UNITS, 2)])
    states = stack.initial_state(x)
    outputs, last = stack(x)
    for t in range(STEPS):
        states = stack.step(x[:, t], states)
        assert torch.allclose(states[-1][0], outputs[:, t], atol=1e-6)
    assert [len(state) for state in last] == [1, 2, 1]
    assert torch.allclose(torch.cat([stack(x[:, :2])[0], stack(x[:, 2:], stack(x[:, :2])[1])[0]], 1), outputs)


def test_the_books_memory_of_one_number():
    """vasilev 7.6: 4.2 comes and is stored, is kept for two steps in which other numbers come, and is shown.

    The gates are opened and shut by three more inputs. The number is stored in thousandths, where tanh is a line.
    """
    cell = LSTMCell(4, 1, bias=True).double()
    scale, open_gate = 1e-3, 40.0  # the sigmoid of ±20 is 0 or 1 but for 2e-9
    with torch.no_grad():
        for weights in cell.parameters():
            weights.zero_()
        i, f, candidate, o = cell.from_input.weight
        candidate[0] = scale
        i[1], f[2], o[3] = open_gate, open_gate, open_gate
        cell.from_input.bias.copy_(torch.tensor([-20.0, -20.0, 0.0, -20.0]))
        #                number, store, keep, show
        x = torch.tensor([[4.2, 1, 0, 0], [-7.0, 0, 1, 0], [9.0, 0, 1, 0], [1.5, 0, 1, 1]], dtype=torch.float64)
        state, shown, stored = cell.initial_state(x[None]), [], []
        for x_t in x:
            state = cell.step(x_t[None], state)
            shown.append(state[0].item() / scale)
            stored.append(state[1].item() / scale)
    assert stored == pytest.approx([4.2] * 4, abs=1e-4)
    assert shown == pytest.approx([0, 0, 0, 4.2], abs=1e-4)


def test_first_weights():
    for cell in (VanillaCell(5, 100), LSTMCell(5, 100, bias=True), GRUCell(5, 100, bias=True)):
        for weights in cell.parameters():
            assert 0.09 < weights.abs().max() <= 0.1  # 1 / sqrt(100)
    bias = LSTMCell(5, 100, bias=True, forget_bias=1.0).from_input.bias
    assert (bias[100:200] == 1).all()
    assert bias[:100].abs().max() <= 0.1


def test_parameter_counts():
    def count(cell):
        return sum(p.numel() for p in cell.parameters())

    assert count(VanillaCell(3, 4)) == 4 * (3 + 4)
    assert count(LSTMCell(3, 4)) == 4 * 4 * (3 + 4)
    assert count(GRUCell(3, 4)) == 3 * 4 * (3 + 4)
    assert count(LSTMCell(3, 4, bias=True)) == 4 * 4 * (3 + 4) + 16


def test_mistakes_are_named():
    with pytest.raises(UserError, match="activation is 'tan'; it must be tanh, sigmoid, relu, identity"):
        VanillaCell(1, 1, "tan")
    with pytest.raises(UserError, match="the cell has no biases: set bias to true"):
        LSTMCell(1, 1, forget_bias=1.0)
    with pytest.raises(UserError, match=r"GRUCell needs a sequence \(B, T, 3\), T >= 1; these are \[2, 3\]"):
        GRUCell(3, 1)(torch.zeros(2, 3))
    with pytest.raises(UserError, match="hidden_dim is 0; it must be 1 or more"):
        GRUCell(3, 0)
    with pytest.raises(UserError, match="a cell with input_dim=5 cannot read one of hidden_dim=4"):
        StackedCells([GRUCell(3, 4), GRUCell(5, 4)])
    with pytest.raises(UserError, match="StackedCells needs one cell or more"):
        StackedCells([])
