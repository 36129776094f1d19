"""Positions of Connect Four and what each move is worth there, by a perfect solver.

``python -m benchmarks.data.connect_four_positions`` makes ``connect_four_positions.json`` anew; it needs ``bitbully``
(``pip install ".[solver]"``). How they are drawn: games of 4 to 30 plies, every number as likely, in equal numbers by
two players at random and by two who play every second move, on average, by minimax of depth 4, to which all games that
run at that depth are draws. A position is kept where the game runs, no other like it or its mirror image was kept, and
a mistake is possible: some move makes of a win a draw or a loss, or of a draw a loss.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datamodules.games import ConnectFour
from dlmodules.protocols import Boards
from dlmodules.rl.search.minimax import MinimaxPlayer
from dlmodules.rl.search.random_player import RandomPlayer

FILE = Path(__file__).with_suffix(".json")
COUNT, SEED = 1000, 20261128
FIRST_PLY, LAST_PLY = 4, 30
AT_ONCE = 200
ILLEGAL = -9
"""What stands for a move into a full column."""


def load() -> tuple[Boards, npt.NDArray[np.int64]]:
    """Return the positions, and the values ``(N, 7)`` of their moves: 1, 0, -1, or ``ILLEGAL``."""
    found = json.loads(FILE.read_text())
    boards = Boards.joined([replay(moves) for moves in found["moves"]])
    return boards, np.array(found["values"])


def replay(moves: str) -> Boards:
    """Return the position after moves, each the number of a column from 0."""
    game = ConnectFour()
    boards = game.start(1)
    for move in moves:
        boards = game.play(boards, np.array([int(move)]))
    return boards


def games(seed: int) -> Iterator[str]:
    """Yield the moves of running games, without end."""
    game, rng = ConnectFour(), np.random.default_rng(seed)
    random, minimax = RandomPlayer(seed), MinimaxPlayer(4, seed, estimates=False)
    while True:
        boards = game.start(AT_ONCE)
        length = rng.integers(FIRST_PLY, LAST_PLY + 1, AT_ONCE)
        plays_well = np.arange(AT_ONCE) % 2 == 1
        moves = [""] * AT_ONCE
        numbers = np.arange(AT_ONCE)
        while len(numbers):
            action = random.choose(game, boards)
            better = np.flatnonzero(plays_well[numbers] & (rng.random(len(numbers)) < 0.5))
            if len(better):
                action[better] = minimax.choose(game, boards.at(better))
            for number, column in zip(numbers, action, strict=True):
                moves[number] += str(column)
            boards = game.play(boards, action)
            runs = ~game.outcome(boards)[0]
            yield from (moves[number] for number in numbers[runs & (boards.ply == length[numbers])])
            going_on = runs & (boards.ply < length[numbers])
            boards, numbers = boards.at(going_on), numbers[going_on]


def values(solver: Any, board: Any) -> list[int]:
    """Return what the moves are worth to who is to move: the sign of the solver's scores."""
    scores = solver.score_all_moves(board)
    return [int(np.sign(scores[column])) if column in scores else ILLEGAL for column in range(7)]


def mirrored(moves: str) -> str:
    """Return the moves of the mirror image."""
    return "".join(str(6 - int(move)) for move in moves)


def make(count: int = COUNT, seed: int = SEED) -> dict[str, Any]:
    """Draw ``count`` positions and solve them."""
    from bitbully import BitBully, Board

    solver = BitBully()
    seen: set[tuple[int, int]] = set()
    found: dict[str, Any] = {"seed": seed, "moves": [], "values": []}
    for moves in games(seed):
        keys = [tuple(int(part[0]) for part in replay(way)[:2]) for way in (moves, mirrored(moves))]
        if keys[0] in seen or keys[1] in seen:
            continue
        board = values(solver, Board.from_moves(moves))
        legal = [value for value in board if value != ILLEGAL]
        if min(legal) == max(legal):
            continue
        seen.add((keys[0][0], keys[0][1]))
        found["moves"].append(moves)
        found["values"].append(board)
        if len(found["moves"]) == count:
            return found
    raise AssertionError("the games have no end")


def write(path: Path = FILE) -> None:
    """Write the file of positions."""
    path.write_text(json.dumps(make(), separators=(",", ":")).replace("],[", "],\n[") + "\n")


if __name__ == "__main__":
    write()
    print(FILE)
