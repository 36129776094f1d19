"""Players by their names, such as ``uct:1000``."""

from collections.abc import Callable

from dlmodules.errors import UserError
from dlmodules.protocols.games import Player
from dlmodules.rl.search.mcts import UCTPlayer
from dlmodules.rl.search.minimax import MinimaxPlayer
from dlmodules.rl.search.random_player import RandomPlayer

FORMS = "random, uct:SIMULATIONS such as uct:1000, minimax:DEPTH such as minimax:4, or minimax to look to the end"
"""How players are named."""


def make_player(name: str, seed: int = 0) -> Player:
    """Return the player of a name: ``random``, ``uct:1000``, ``minimax:4``, or ``minimax`` to look to the end.

    Raises:
        UserError: there is no such player.
    """
    kind, colon, text = name.partition(":")
    number = int(text) if text.isdecimal() else None
    makers: dict[str, Callable[[], Player]] = {
        "random": lambda: RandomPlayer(seed),
        "uct": lambda: UCTPlayer(seed=seed) if number is None else UCTPlayer(number, seed=seed),
        "minimax": lambda: MinimaxPlayer(number, seed),
    }
    if kind not in makers or (colon and number is None) or (colon and kind == "random"):
        raise UserError(f"there is no player {name}; there are: {FORMS}")
    return makers[kind]()
