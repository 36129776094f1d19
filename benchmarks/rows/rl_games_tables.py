"""The rows of players in games: search, minimax, moves at random."""

from typing import Any

from benchmarks.row import Figure, Row

KEPT = (
    "1,000 positions of Connect Four in which a mistake is possible, after 4 to 30 plies, from games by players at"
    " random and by players whose every second move, on average, is of minimax of depth 4; a move keeps the value where"
    " a won game stays won and a drawn one drawn, by a perfect solver (bitbully 0.0.79); the fraction of moves that do"
)
BY_CHANCE = {"baseline": "baseline/kept", "guess": "any legal move"}


def kept(key: str, label: str, **figure: Any) -> Figure:
    """Return the figure of the moves that keep a position's value."""
    return Figure(key, label, **BY_CHANCE, **figure)


def _moves(name: str, system: str, player: str, anchor: str) -> Row:
    return Row(
        name=f"connect_four_moves_{name}",
        kind="score",
        program="programs.connect_four_moves",
        system=system,
        protocol=KEPT,
        budget="none: nothing is learned",
        seeds=(0, 1, 2),
        figures=(kept("test/kept", "moves that keep the value", anchor=anchor),),
        options={"player": player},
    )


ROWS = (
    _moves("random", "moves at random", "random", "0.32 on other positions"),
    _moves("minimax4", "minimax, depth 4", "minimax:4", "0.82 on other positions, by another rule of thumb"),
    _moves("uct1000", "UCT, 1,000 simulations", "uct:1000", "0.861 on other positions, in C++"),
    Row(
        name="uct_tic_tac_toe",
        kind="score",
        program="programs.every_line",
        system="UCT, 2,000 simulations",
        protocol="all sequences of moves that an opponent may choose against the player, from both sides",
        budget="none: nothing is learned",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/losses",
                "lines lost",
                digits=0,
                bar=0,
                better="lower",
                baseline="baseline/losses",
                guess="moves at random",
            ),
            Figure("test/lines", "lines", digits=0),
        ),
        options={"game": "tic_tac_toe", "player": "uct:2000"},
    ),
    Row(
        name="speed_uct_connect_four",
        kind="speed",
        program="programs.speed_search",
        system="UCT",
        protocol="UCT from the start of Connect Four, 200 simulations with a game at random from each new leaf, in 512"
        " games at once and in one game alone; ten pairs in turn, one thread, seconds of the processor; median of our"
        " side with its 95 % confidence interval (bootstrap), which decides",
        title="UCT: simulations, 512 games of Connect Four at once",
        unit="simulations/s",
        bar=(">=", 50_000),
        ours="{:,.0f} simulations/s",
        other="one game alone {:,.0f} simulations/s",
        options={"game": "connect_four", "games": 512, "simulations": 200},
    ),
)
