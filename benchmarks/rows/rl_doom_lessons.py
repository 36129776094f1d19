"""The rows of what trains in dreams of Doom's take cover alone."""

from benchmarks.row import Figure, Row

PAPER = {"0.1": "193", "0.5": "196", "1.0": "868", "1.15": "1,092", "1.3": "753"}
"""What the paper's controllers survive in the game, by the temperature of the dreams that they trained in."""

_FEW = (
    *("--vae.data.episodes", "6", "--mdn_rnn.data.episodes", "6", "--trainer.max_epochs", "1"),
    *("--controller.data.train_env_kwargs.max_steps", "60"),
)


def _dreams(name: str, temperature: str, bar: float | None = None) -> Row:
    return Row(
        name=f"doom_dream{name}",
        kind="score",
        program="programs.pipeline",
        system="EvolvedController",
        config="configs/world_models/doom_dream.yaml",
        budget=f"800 random games, then 30,000,000 steps of dreams at the temperature {temperature}",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("test/return@last", "mean return"),
                digits=0,
                bar=bar,
                of_mean=True,
                anchor=f"{PAPER[temperature]} (the paper; 210 by random actions)",
                baseline="baseline/return",
                guess="random actions",
            ),
            Figure("times_random", "times the return of random actions", digits=2),
            Figure("seconds", "processor seconds of all stages", digits=0, better="lower"),
        ),
        protocol="undiscounted return, which is the tics survived, of 100 games of 2,100 tics at most, which were"
        " neither trained on nor dreamt; the mean of the search, which acts without noise; one thread, and the game's",
        options={
            "pipeline": "world_models/doom",
            "args": ("--controller.data.train_env_kwargs.temperature", temperature) if name else (),
            "quick": _FEW,
        },
        cost="hours",
        elsewhere="one core, 45 minutes",
    )


ROWS = (
    _dreams("", "1.15", 500.0),
    *(_dreams(f"_t{temperature}".replace(".", ""), temperature) for temperature in PAPER if temperature != "1.15"),
)
