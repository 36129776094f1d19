import numpy as np
import pytest
from matplotlib.patches import Circle

from callbacks.games.board_picture import board_picture
from datamodules.games import ConnectFour, Othello6
from dlmodules.protocols import Analysis
from dlmodules.protocols.game_squares import discs, entered_squares, on_squares
from tests.dlmodules.rl.search.positions import after


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def circles(figure):
    return [patch.center for patch in figure.axes[0].patches if isinstance(patch, Circle)]


def test_discs_lie_where_they_fell_and_moves_where_they_would():
    figure = board_picture(
        ConnectFour(), after(3, 3), Analysis(np.eye(7)[[3]] * 0.75 + 0.25 / 7, np.array([0.5]), [[3, 2]])
    )
    assert circles(figure) == [(3, 4), (3, 5)]
    assert words(figure).count("4%") == 6
    assert "79%" in words(figure)
    assert figure.axes[0].get_title() == "value +0.50\nexpects 4 3"
    assert figure.axes[0].get_xlabel() == "red to move"


def test_a_position_alone_and_one_that_has_ended():
    figure = board_picture(ConnectFour(), after(0, 6, 0, 6, 0, 6, 0))
    assert len(circles(figure)) == 7
    assert words(figure) == []
    assert figure.axes[0].get_xlabel() == "the game has ended"


def test_squares_that_moves_take():
    game = ConnectFour()
    boards = after(3, 3, 3, 3, 3, 3)
    assert entered_squares(game, boards, 0).tolist() == [35, 36, 37, -1, 39, 40, 41]
    assert discs(game, boards, 0)[:, 3].tolist() == [2, 1, 2, 1, 2, 1]
    heat = on_squares(np.arange(7, dtype=np.float32), entered_squares(game, boards, 0), game.board_shape)
    assert heat[5].tolist() == pytest.approx([0, 1, 2, np.nan, 4, 5, 6], nan_ok=True)
    assert np.isnan(heat[:5]).all()


def test_a_pass_takes_no_square():
    game = Othello6()
    boards = game.start(1)
    assert entered_squares(game, boards, 0)[36] == -1
    assert sorted(square for square in entered_squares(game, boards, 0) if square >= 0) == [8, 13, 22, 27]


def test_a_full_board_has_no_moves_to_show():
    game = ConnectFour()
    full = after(*(column for column in (0, 2, 4, 1, 3, 5, 6) for _ in range(6)))
    assert entered_squares(game, full, 0).tolist() == [-1] * 7
