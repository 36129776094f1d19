"""One game in the terminal, move by move."""

from collections.abc import Callable

import numpy as np
from rich.console import Console, RenderableType
from rich.table import Table

from dlmodules.protocols.games import Analyses, Analysis, Boards, Game, Player
from dlmodules_cli.play.board import board_text, entered
from dlmodules_cli.play.human import HumanPlayer

MOVES_SHOWN = 8
"""So many moves of what a player expects are shown."""


class Screen:
    """Prints boards and what is thought of them.

    Args:
        show: prints text that is ready, colours and all.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self.console = Console()
        self._show = show

    def print(self, *parts: RenderableType) -> None:
        """Print boards side by side, or a line."""
        grid = Table.grid(padding=(0, 6))
        grid.add_row(*parts)
        with self.console.capture() as captured:
            self.console.print(grid)
        self._show(captured.get())

    def hint(self, adviser: Analyses, name: str) -> Callable[[Game, Boards], None]:
        """Return what shows the advice of a player."""

        def show(game: Game, boards: Boards) -> None:
            found = adviser.analyse(game, boards)
            self.print(board_text(game, boards, f"{name} would play", heat=found.policy[0]))
            self.print(thoughts(game, found))

        return show


def thoughts(game: Game, found: Analysis) -> str:
    """Return in a line what a player thinks: its value, and the moves that it expects."""
    line = " ".join(game.action_name(action) for action in found.lines[0][:MOVES_SHOWN]) if found.lines else ""
    return f"value {found.value[0]:+.2f}" + (f", expects {line}" if line else "")


def play_game(game: Game, players: tuple[Player, Player], screen: Screen) -> None:
    """Play one game from the start; ``players[0]`` has the first move. Raises QuitError where a human wants no more."""
    boards, last, against_human = game.start(1), -1, any(isinstance(player, HumanPlayer) for player in players)
    screen.print(f"{game.name}: X is {players[0].name}, O is {players[1].name}")
    shown: list[RenderableType] = []
    while not game.outcome(boards)[0][0]:
        player = players[int(boards.ply[0]) % 2]
        if isinstance(player, HumanPlayer):
            screen.print(*shown, board_text(game, boards, "your move", last, names_moves=True))
            action = int(player.choose(game, boards)[0])
            shown = []
        else:
            action, line = _move(game, player, boards, shown, last)
            if not against_human:
                screen.print(*shown)
            screen.print(line)
            if not against_human:
                shown = []
        last = entered(game, boards, action)
        boards = game.play(boards, np.array([action]))
    screen.print(board_text(game, boards, "the end", last))
    screen.print(result(game, boards, players))


def result(game: Game, boards: Boards, players: tuple[Player, Player]) -> str:
    """Return in words how a game ended."""
    value = float(game.outcome(boards)[1][0])
    if value == 0:
        return "a draw"
    winner = players[(int(boards.ply[0]) + (value < 0)) % 2]
    return "you win" if isinstance(winner, HumanPlayer) else f"{winner.name} wins"


def _move(game: Game, player: Player, boards: Boards, shown: list[RenderableType], last: int) -> tuple[int, str]:
    """Return a player's action and a line about it, and add the board with its thoughts to ``shown``."""
    if isinstance(player, Analyses):
        found = player.analyse(game, boards)
        action = int(found.policy[0].argmax())
        shown[:] = [board_text(game, boards, f"{player.name} chooses", last, heat=found.policy[0])]
        return action, f"{player.name} plays {game.action_name(action)}: {thoughts(game, found)}"
    action = int(player.choose(game, boards)[0])
    shown[:] = [board_text(game, boards, f"{player.name} to move", last)]
    return action, f"{player.name} plays {game.action_name(action)}"
