"""The rows of what learns a game against itself."""

from benchmarks.row import Figure, Row
from benchmarks.rows.rl_games_tables import KEPT, kept

_ALL_LINES = (
    "all sequences of moves that an opponent may choose against the final policy, from both sides, without search and"
    " without chance; how many there are hangs on the policy: some 800"
)
_AGAINST_UCT = (
    "; 200 games against UCT with 1,000 simulations, from openings of 2 random moves, each from both sides; the final"
    " network, with 100 simulations and by its policy alone"
)


def _lines(name: str, system: str) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget="that of the configuration",
        seeds=tuple(range(5)),
        figures=(Figure("test/losses@last", "lines lost, policy alone", digits=4, bar=0.0, better="lower"),),
        protocol=_ALL_LINES,
    )


def _connect_four(name: str, system: str, search: float | None, policy: float | None, wins: float | None) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.connect_four_moves",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget="that of the configuration",
        seeds=(0, 1, 2),
        figures=(
            kept("test/kept_search@last", "moves that keep the value, 100 simulations", bar=search),
            kept("test/kept_policy@last", "moves that keep the value, policy alone", bar=policy),
            Figure("test/search_wins@last", "games won against UCT-1,000, 100 simulations", bar=wins),
            Figure("test/wins@last", "games won against UCT-1,000, policy alone"),
        ),
        protocol=KEPT + _AGAINST_UCT,
        options={"simulations": 100},
        cost="hours",
    )


ROWS = (
    _lines("alphazero_tic_tac_toe", "AlphaZero"),
    _lines("gumbel_alphazero_tic_tac_toe", "GumbelAlphaZero"),
    _connect_four("gumbel_alphazero_connect_four", "GumbelAlphaZero", 0.92, 0.75, 0.75),
    _connect_four("alphazero_connect_four", "AlphaZero", None, None, None),
    Row(
        name="alphazero_othello",
        kind="score",
        program="programs.scores",
        system="AlphaZero",
        config="configs/rl/alphazero_othello.yaml",
        budget="that of the configuration",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/search_wins@last", "games won against minimax of depth 2, 50 simulations"),
            Figure("test/wins@last", "games won against minimax of depth 2, policy alone"),
        ),
        protocol="200 games on 6 x 6, from openings of 2 random moves, each from both sides; the final network",
    ),
    Row(
        name="speed_alphazero_connect_four",
        kind="speed",
        program="programs.speed_network_search",
        system="AlphaZero",
        protocol="64 simulations for each of 4 moves in a row from a random position of Connect Four, in 256 games at"
        " once and in one game alone, network of the configuration alphazero_connect_four, untrained, in bfloat16, what"
        " it said remembered; ten pairs in turn, one thread, seconds of the processor; median of our side with its 95 %"
        " confidence interval (bootstrap), which decides",
        title="PUCT with a network: simulations, 256 games of Connect Four at once",
        unit="simulations/s",
        bar=(">=", 20_000),
        ours="{:,.0f} simulations/s",
        other="one game alone {:,.0f} simulations/s",
        options={"game": "connect_four", "games": 256, "simulations": 64, "moves": 4},
    ),
)
