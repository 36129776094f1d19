"""Games of two players, N at a time on bitboards; ``dlmodules.protocols.games.Game`` is what they offer."""

from datamodules.games.board import BitBoard, SquareBoard
from datamodules.games.connect_four import ConnectFour
from datamodules.games.finding import GAMES, make_game
from datamodules.games.othello import Othello6
from datamodules.games.tic_tac_toe import TicTacToe

__all__ = ["GAMES", "BitBoard", "ConnectFour", "Othello6", "SquareBoard", "TicTacToe", "make_game"]
