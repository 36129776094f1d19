"""The tables and the figure of the page of the network that counts."""

import numpy as np
import pytest

from benchmarks import worked_recurrence
from benchmarks.programs import gradient_distance_figure as figure


def test_the_page_is_as_the_code_has_it():
    page = worked_recurrence.PAGE.read_text(encoding="utf-8")
    assert page == worked_recurrence.written_anew(page), "run python -m benchmarks.worked_recurrence"
    for name in worked_recurrence.PARTS:
        assert page.count(f"begin of {name}:") == page.count(f"end of {name} ") == 1


def test_what_the_book_has_is_there():
    descents = worked_recurrence.PARTS["descents"]()
    assert "| 0 | 9 | -2, 0 | 144 | -2, 0 | 144 | -2, 0 |" in descents
    assert "| 26 | 7.23 | -2.005, -0.1516 | inf |" in descents
    assert "| 27 | 7.162 | -2.006, -0.1574 | nan | nan, nan |" in descents
    powers = worked_recurrence.PARTS["powers"]()
    assert "| 1.5 | 50 | 6.38e+08 |" in powers
    assert "| 0.6 | 20 | 3.66e-05 |" in powers


def test_the_norms_of_a_linear_network_are_the_powers_of_its_weight():
    cell = figure.VanillaCell(figure.INPUTS, figure.UNITS, "identity")
    cell.from_state.weight.data = 0.9 * figure.torch.eye(figure.UNITS)
    norms = figure.gradient_norms(lambda: cell, networks=2, steps=30)
    np.testing.assert_allclose(norms, 0.9 ** np.arange(30), rtol=1e-5)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("tanh", "tanh, orthogonal W"),
        ("tanh", "LSTM"),
        ("LSTM", "LSTM, forget bias 1"),
        ("LSTM, forget bias 1", "LSTM, forget bias 3"),
        ("LSTM, forget bias 3", "tanh, four times W"),
    ],
)
def test_the_order_of_the_cells(smaller, larger):
    norms = [figure.gradient_norms(figure.CELLS[name], networks=2, steps=60)[-1] for name in (smaller, larger)]
    assert 10 * norms[0] < norms[1]


def test_the_figure_is_plotted(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "STEPS", 12)
    monkeypatch.setattr(figure, "CELLS", {"tanh": figure.CELLS["tanh"]})
    monkeypatch.setattr(figure.gradient_norms, "__defaults__", (1, 12))
    figure.draw(tmp_path / "figure.png", networks=1)
    assert (tmp_path / "figure.png").is_file()
