"""How many of a player's moves in Connect Four keep what the game is worth, judged by a perfect solver.

The positions and the solver's values lie in ``benchmarks/data``, so nothing is solved here.
"""

import time
from dataclasses import replace

import numpy as np

from benchmarks.context import Context, row_record
from benchmarks.data.connect_four_positions import ILLEGAL, load
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules.games import ConnectFour
from dlmodules.protocols import Player, PlaysGames
from dlmodules.rl.search.players import make_player

QUICK = 20
"""Positions of a measurement that only shows that it works."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure the player that ``row`` names, or train its configuration and measure the network's players.

    A network is measured without search, as ``test/kept_policy@last``, and with the ``simulations`` of the row, as
    ``test/kept_search@last``.
    """
    begin = time.perf_counter()
    positions = QUICK if context.quick else None
    if row.config is None:
        player = make_player(row.options["player"], seed)
        return row_record(row, seed, begin, metrics=fractions_kept(player, "test/kept", positions=positions))
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, PlaysGames)
    found = fractions_kept(module.player(0), "test/kept_policy", "@last", positions)
    found |= fractions_kept(module.player(row.options["simulations"]), "test/kept_search", "@last", positions)
    return replace(record, metrics={**record.metrics, **found})


def fractions_kept(player: Player, name: str, ending: str = "", positions: int | None = None) -> dict[str, float]:
    """Return in what fraction of the positions the player's move keeps their value.

    Args:
        player: moves in all positions at once.
        name: of the metric; ``NAME_won`` and ``NAME_drawn`` are of the positions that are won and drawn alone, and
            ``baseline/kept`` is what a move at random is expected to keep.
        ending: of the metrics' names, such as ``@last``.
        positions: how many of the first to take; None for all.
    """
    boards, values = load()
    boards, values = boards.at(slice(positions)), values[:positions]
    value = values.max(1)
    keeps, is_legal = values == value[:, None], values != ILLEGAL
    kept = keeps[np.arange(len(value)), player.choose(ConnectFour(), boards)]
    found = {name: kept.mean(), f"{name}_won": kept[value == 1].mean(), f"{name}_drawn": kept[value == 0].mean()}
    metrics = {f"{metric}{ending}": float(fraction) for metric, fraction in found.items()}
    return {**metrics, "baseline/kept": float((keeps.sum(1) / is_legal.sum(1)).mean())}
