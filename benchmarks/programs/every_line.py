"""What a player makes of all sequences of moves that an opponent may choose, in a small game."""

import time

from benchmarks.context import Context, row_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules.games import make_game
from dlmodules.rl.search.arena import every_line
from dlmodules.rl.search.players import make_player


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure the player that ``row`` names in its game; ``baseline/losses`` is of moves at random."""
    begin = time.perf_counter()
    game = make_game(row.options["game"])
    found = every_line(game, make_player("uct:10" if context.quick else row.options["player"], seed))
    random = every_line(game, make_player("random", seed))
    metrics = {"test/losses": found.losses, "test/draws": found.draws, "test/wins": found.wins}
    counts = {**metrics, "test/lines": found.games, "baseline/losses": random.losses}
    return row_record(row, seed, begin, metrics={name: float(value) for name, value in counts.items()})
