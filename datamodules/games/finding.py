"""A game by its name."""

import difflib
from collections.abc import Callable
from importlib import import_module

from datamodules.games.connect_four import ConnectFour
from datamodules.games.othello import Othello6
from datamodules.games.tic_tac_toe import TicTacToe
from dlmodules.errors import UserError
from dlmodules.protocols.games import Game

GAMES: dict[str, Callable[[], Game]] = {game.name: game for game in (TicTacToe, ConnectFour, Othello6)}
"""The games by their names."""


def make_game(name: str) -> Game:
    """Return the game of a name in ``GAMES``, or an object of the class whose import path ``name`` is.

    Raises:
        UserError: there is none, or it lacks something of the protocol.
    """
    if name in GAMES:
        return GAMES[name]()
    module_name, _, class_name = name.rpartition(".")
    if not module_name:
        close = difflib.get_close_matches(name, GAMES, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise UserError(
            f"there is no game {name}{hint}; there are: {', '.join(GAMES)}; or give the import path of a class, such"
            " as my_games.Nim"
        )
    try:
        found = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"the game {name} cannot be had: {error}") from error
    game = found() if isinstance(found, type) else None
    if not isinstance(game, Game):
        raise UserError(f"{name} is no game: it must have what dlmodules.protocols.games.Game has")
    return game
