"""A human at the terminal."""

from collections.abc import Callable

import numpy as np

from dlmodules.protocols.games import Boards, Game, Integers


class QuitError(Exception):
    """The human wants no more."""


class HumanPlayer:
    """Asks for each move, until it is a legal one.

    Args:
        hint: called with game and position when the human asks for help; None where there is none to give.
        ask: returns a line for a prompt; raises EOFError at the end of the input.
        say: prints a line.
    """

    name = "you"

    def __init__(
        self,
        hint: Callable[[Game, Boards], None] | None = None,
        ask: Callable[[str], str] = input,
        say: Callable[[str], None] = print,
    ) -> None:
        self.hint = hint
        self.ask = ask
        self.say = say

    def choose(self, game: Game, boards: Boards) -> Integers:
        """Return a legal action ``(N,)`` in each of N running games. Raises QuitError."""
        return np.array([self._choose(game, boards.at([index])) for index in range(len(boards.ply))])

    def _choose(self, game: Game, boards: Boards) -> int:
        legal = [int(action) for action in np.flatnonzero(game.legal(boards)[0])]
        names = {game.action_name(action): action for action in legal}
        while True:
            try:
                word = self.ask("your move (q quits" + (", ? asks for a hint): " if self.hint else "): "))
            except EOFError:
                raise QuitError from None
            word = word.strip().lower()
            if word in ("q", "quit", "exit"):
                raise QuitError
            if word == "?" and self.hint:
                self.hint(game, boards)
            elif word in names:
                return names[word]
            elif word:
                self.say(f"{word!r} is no legal move here; there are: {' '.join(names)}")
