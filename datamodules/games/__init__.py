"""Games of two players, N at a time on bitboards; ``dlmodules.protocols.games.Game`` is what they offer."""

from collections.abc import Callable

from datamodules.games.connect_four import ConnectFour
from datamodules.games.othello import Othello6
from datamodules.games.tic_tac_toe import TicTacToe
from dlmodules.protocols.games import Game

GAMES: dict[str, Callable[[], Game]] = {game.name: game for game in (TicTacToe, ConnectFour, Othello6)}
"""The games by their names."""

__all__ = ["GAMES", "ConnectFour", "Othello6", "TicTacToe"]
