import math
import time

import numpy as np
import pytest

from datamodules.games import ConnectFour, Othello6, TicTacToe
from dlmodules.errors import UserError
from dlmodules.protocols import Analyses, Estimates, Player
from dlmodules.rl.search.arena import Match, arena, every_line, openings, wilson_interval
from dlmodules.rl.search.mcts import UCTPlayer, random_games, search
from dlmodules.rl.search.minimax import LATER, MinimaxPlayer, action_values
from dlmodules.rl.search.players import make_player
from dlmodules.rl.search.random_player import RandomPlayer
from tests.datamodules.games.random_games import random_games as games_at_random
from tests.dlmodules.rl.search.positions import GAME, after, at_random, blocks, wins_at_once


def players():
    return [RandomPlayer(), MinimaxPlayer(2), UCTPlayer(30)]


@pytest.mark.parametrize("player", players(), ids=lambda player: player.name)
def test_players_move_in_many_games_and_by_their_seed(player):
    assert isinstance(player, Player)
    boards = at_random(20, seed=0)
    action = player.choose(GAME, boards)
    assert action.shape == boards.ply.shape
    assert GAME.legal(boards)[np.arange(len(action)), action].all()
    same, other = (next(one for one in players() if one.name == player.name) for _ in range(2))
    other.rng = np.random.default_rng(1)
    assert np.array_equal(same.choose(GAME, boards), action)
    assert not np.array_equal(other.choose(GAME, boards), action)


def naive_value(game, boards, depth):
    ended, outcome = game.outcome(boards)
    if ended[0] or depth == 0:
        return float(game.estimate(boards)[0] if isinstance(game, Estimates) and not ended[0] else outcome[0])
    return max(
        -float(LATER) * naive_value(game, game.play(boards, np.array([action])), depth - 1)
        for action in np.flatnonzero(game.legal(boards)[0])
    )


@pytest.mark.parametrize(("game", "ply", "depth"), [(TicTacToe(), 3, None), (GAME, 22, 3), (Othello6(), 20, 2)])
def test_minimax_is_what_a_recursion_finds(game, ply, depth):
    boards = games_at_random(game, 40, seed=5)[0][ply][1].at(slice(8))
    values = action_values(game, boards, depth)
    for index in range(len(boards.ply)):
        alone = boards.at([index])
        for action in range(game.num_actions):
            if not game.legal(alone)[0, action]:
                assert values[index, action] == -np.inf
                continue
            left = (game.max_plies if depth is None else depth) - 1
            expected = -float(LATER) * naive_value(game, game.play(alone, np.array([action])), left)
            assert values[index, action] == pytest.approx(expected, abs=1e-5)


def test_what_runs_at_the_depth_may_count_as_a_draw():
    assert action_values(GAME, after(3), 1).any()
    assert not action_values(GAME, after(3), 1, estimates=False).any()


def test_minimax_wins_soon_and_loses_late():
    assert MinimaxPlayer(5).choose(GAME, after(0, 6, 0, 6, 0, 6))[0] == 0
    values = action_values(GAME, after(0, 6, 0, 6, 0), 4)[0]
    assert values[0] > values[1]
    assert values[1] == pytest.approx(-(LATER**2))


def test_what_minimax_cannot_look_through_ends_in_one_line(monkeypatch):
    monkeypatch.setattr("dlmodules.rl.search.minimax.MOST", 1000)
    with pytest.raises(UserError, match=r"othello6 has too many positions to look 30 moves ahead"):
        action_values(Othello6(), Othello6().start(1), 30)
    with pytest.raises(UserError, match="depth is 0"):
        MinimaxPlayer(0)


def test_nobody_beats_minimax_at_tic_tac_toe():
    found = every_line(TicTacToe(), MinimaxPlayer())
    assert found.losses == 0
    assert found.wins > found.draws > 0
    assert every_line(TicTacToe(), RandomPlayer()).losses > 100


def test_every_line_of_the_first_legal_square():
    class First:
        name = "first"

        def choose(self, game, boards):
            return game.legal(boards).argmax(1)

    # X takes squares from the first on; O chooses in 8, 6, 4, 2 ways unless the game ends before.
    found = every_line(TicTacToe(), First())
    assert found.games == slow_lines(TicTacToe().start(1), True) + slow_lines(TicTacToe().start(1), False)


def slow_lines(boards, is_on_move):
    game = TicTacToe()
    if game.outcome(boards)[0][0]:
        return 1
    legal = np.flatnonzero(game.legal(boards)[0])
    moves = legal[:1] if is_on_move else legal
    return sum(slow_lines(game.play(boards, np.array([move])), not is_on_move) for move in moves)


@pytest.mark.learning
def test_no_line_beats_uct_at_tic_tac_toe():
    found = every_line(TicTacToe(), UCTPlayer(2000))
    assert found.losses == 0
    assert found.wins > 100


def test_uct_sees_wins_and_threats_at_once():
    boards = at_random(60, seed=1)
    win, block = wins_at_once(boards), blocks(boards)
    winning, blocking = np.flatnonzero(win.any(1))[:60], np.flatnonzero(block.any(1))[:60]
    player = UCTPlayer(1000)
    assert win[winning, player.choose(GAME, boards.at(winning))].all()
    assert block[blocking, player.choose(GAME, boards.at(blocking))].all()


@pytest.mark.learning
def test_uct_sees_every_win_and_every_threat_in_a_thousand_positions():
    boards = at_random(600, seed=2)
    win, block = wins_at_once(boards), blocks(boards)
    winning, blocking = np.flatnonzero(win.any(1))[:1000], np.flatnonzero(block.any(1))[:1000]
    assert len(winning) == len(blocking) == 1000
    player = UCTPlayer(1000)
    assert win[winning, player.choose(GAME, boards.at(winning))].all()
    assert block[blocking, player.choose(GAME, boards.at(blocking))].all()


def test_random_games_are_worth_what_minimax_says_where_one_move_is_left():
    game = TicTacToe()
    plies, _ = games_at_random(game, 300, seed=4)
    boards = plies[8][1]
    assert len(boards.ply) > 50
    value = random_games(game, boards, np.random.default_rng(0))
    assert np.array_equal(value, -game.outcome(game.play(boards, game.legal(boards).argmax(1)))[1])


def test_the_mean_of_random_games_is_that_of_all_games():
    """Two squares are left: X wins in one of both orders, and by either first move."""
    game = TicTacToe()
    boards = game.start(4000)
    for square in (0, 3, 1, 4, 6, 7, 5):  # X: 0 1 6 5, O: 3 4 7; left are 2 and 8; O is to move
        boards = game.play(boards, np.full(4000, square))
    value = random_games(game, boards, np.random.default_rng(0))
    assert value.mean() == pytest.approx(-0.5, abs=0.05)  # where O takes 8, X takes 2 and wins; else a draw
    assert set(value) == {-1, 0}


def test_uct_shows_what_it_thinks():
    player = UCTPlayer(200)
    assert isinstance(player, Analyses)
    found = player.analyse(GAME, after(0, 6, 0, 6, 0, 6))
    assert found.policy.shape == (1, 7)
    assert found.policy.sum() == pytest.approx(1)
    assert found.policy.argmax() == 0
    assert found.value[0] == 1
    assert found.lines == [[0]]


def test_games_that_do_not_fit_at_once_are_searched_in_turn(monkeypatch):
    monkeypatch.setattr("dlmodules.rl.search.mcts.ROWS", 100)
    boards = at_random(3, seed=0)
    found = UCTPlayer(30).analyse(GAME, boards)
    assert found.policy.shape == (len(boards.ply), 7)
    assert len(found.lines) == len(boards.ply)
    assert np.allclose(found.policy.sum(1), 1)


@pytest.mark.parametrize("arguments", [{"simulations": 0}, {"c": -1.0}])
def test_what_uct_cannot_do(arguments):
    with pytest.raises(UserError, match=f"{next(iter(arguments))} is"):
        UCTPlayer(**arguments)


@pytest.mark.slow
def test_fifty_thousand_simulations_a_second():
    search(GAME, GAME.start(512), 5, 1.4, np.random.default_rng(0))
    start = time.process_time()
    search(GAME, GAME.start(512), 100, 1.4, np.random.default_rng(0))
    assert 512 * 100 / (time.process_time() - start) > 50_000


def test_both_players_have_both_sides_of_every_opening():
    class Remembers(RandomPlayer):
        def __init__(self, name):
            super().__init__()
            self.name, self.seen = name, []

        def choose(self, game, boards):
            self.seen.append(boards)
            return super().choose(game, boards)

    one, two = Remembers("one"), Remembers("two")
    found = arena(ConnectFour(), one, two, games=20, seed=3, opening_plies=3)
    assert found.games == 20
    for mine, yours in zip(one.seen[0], two.seen[0], strict=True):
        assert np.array_equal(mine, yours)
    assert one.seen[0].ply.tolist() == [3] * 10


def test_wins_are_counted_from_the_first_players_side():
    better = arena(GAME, MinimaxPlayer(3), RandomPlayer(), games=40)
    worse = arena(GAME, RandomPlayer(), MinimaxPlayer(3), games=40)
    assert better.wins >= 37
    assert worse.losses >= 37
    assert better.wins_first + better.wins_second == better.wins
    assert min(better.wins_first, better.wins_second) > 15
    assert better.score > 0.9 > 0.1 > worse.score


def test_openings_are_running_games_after_so_many_plies():
    boards = openings(TicTacToe(), 50, 6, np.random.default_rng(0))
    assert boards.ply.tolist() == [6] * 50
    assert not TicTacToe().outcome(boards)[0].any()
    with pytest.raises(UserError, match="after 9 plies"):
        openings(TicTacToe(), 5, 9, np.random.default_rng(0))


def test_an_odd_number_of_games_and_an_illegal_move_end_in_one_line():
    class Stubborn:
        name = "stubborn"

        def choose(self, game, boards):
            return np.zeros(len(boards.ply), np.int64)

    with pytest.raises(UserError, match="games is 3; it must be even"):
        arena(GAME, RandomPlayer(), RandomPlayer(), games=3)
    with pytest.raises(UserError, match="stubborn chose action 0 in tic_tac_toe, where it is not legal"):
        arena(TicTacToe(), Stubborn(), RandomPlayer(), games=10)


def test_wilsons_interval():
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert Match(81, 100, 82, 40, 41).interval() == wilson_interval(81, 263)
    assert math.isclose(Match(1, 1, 0, 1, 0).score, 0.75)


def test_players_by_their_names():
    for name in ("random", "uct:50", "minimax:4", "minimax"):
        assert make_player(name).name == name
    assert make_player("uct").name == "uct:1000"
    for name in ("alphago", "uct:many", "minimax:", "random:3"):
        with pytest.raises(UserError, match=f"there is no player {name}; there are: random, uct:SIMULATIONS"):
            make_player(name)
    with pytest.raises(UserError, match="depth is 0"):
        make_player("minimax:0")
