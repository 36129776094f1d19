"""How players of games are measured."""

import json
from itertools import islice

import numpy as np
import pytest

from benchmarks.context import Context
from benchmarks.data import connect_four_positions
from benchmarks.data.connect_four_positions import FILE, ILLEGAL, SEED, load, mirrored
from benchmarks.programs import connect_four_moves, every_line, speed_search
from benchmarks.programs.connect_four_moves import fractions_kept
from benchmarks.rows import ROWS
from datamodules.games import ConnectFour
from dlmodules.rl.search.minimax import action_values
from dlmodules.rl.search.random_player import RandomPlayer


class Solver:
    """Plays what the file says."""

    name = "solver"

    def choose(self, game, boards):
        return load()[1][: len(boards.ply)].argmax(1)


def test_a_perfect_player_keeps_every_value_and_chance_what_is_expected():
    assert fractions_kept(Solver(), "test/kept", "@last") == {
        "test/kept@last": 1.0,
        "test/kept_won@last": 1.0,
        "test/kept_drawn@last": 1.0,
        "baseline/kept": pytest.approx(0.345, abs=1e-3),
    }
    found = [fractions_kept(RandomPlayer(seed), "test/kept")["test/kept"] for seed in range(10)]
    assert np.mean(found) == pytest.approx(0.345, abs=0.02)


def test_the_positions_are_those_of_the_procedure():
    kept = json.loads(FILE.read_text())
    assert (kept["seed"], len(kept["moves"])) == (SEED, 1000)
    drawn = list(islice(connect_four_positions.games(SEED), 200))
    first = [moves for moves in kept["moves"][:100] if moves in drawn]
    assert len(first) > 60
    assert [moves for moves in drawn if moves in first] == first
    boards, values = load()
    keys = list(zip(boards.own.tolist(), boards.other.tolist(), strict=True))
    images = [connect_four_positions.replay(mirrored(moves)) for moves in kept["moves"]]
    assert len({min(key, (int(b.own[0]), int(b.other[0]))) for key, b in zip(keys, images, strict=True)}) == 1000
    assert np.array_equal(ConnectFour().legal(boards), values != ILLEGAL)
    assert not ConnectFour().outcome(boards)[0].any()
    assert (np.where(values == ILLEGAL, 9, values).min(1) < values.max(1)).all()
    assert (boards.ply.min(), boards.ply.max()) == (4, 30)


def test_minimax_to_the_end_finds_the_solvers_values():
    boards, values = load()
    late = np.flatnonzero(boards.ply >= 29)
    assert len(late) > 15
    found = action_values(ConnectFour(), boards.at(late))
    assert np.array_equal(np.sign(found)[values[late] != ILLEGAL], values[late][values[late] != ILLEGAL])


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (connect_four_moves, "connect_four_moves_random"),
        (connect_four_moves, "connect_four_moves_minimax4"),
        (every_line, "uct_tic_tac_toe"),
        (speed_search, "speed_uct_connect_four"),
    ],
)
def test_each_row_of_a_player_has_its_figures(program, name):
    row = ROWS[name]
    record = program.measure(row, 0, Context(quick=True))
    assert all(figure.key in record.metrics for figure in row.figures)
    assert all(figure.baseline in record.metrics for figure in row.figures if figure.baseline)
