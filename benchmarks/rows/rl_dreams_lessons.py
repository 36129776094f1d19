"""The rows of what trains in dreams alone."""

from benchmarks.row import Figure, Row

TEMPERATURES = (0.5, 0.8, 1.2, 1.5)
_FEW = ("--vae.data.episodes", "6", "--mdn_rnn.data.episodes", "6", "--trainer.max_epochs", "1")


def _dreams(name: str, what: str, times: float | None, seconds: float | None, *args: str) -> Row:
    return Row(
        name=f"dodge_dream{name}",
        kind="score",
        program="programs.pipeline",
        system="EvolvedController",
        config="configs/world_models/dodge_dream.yaml",
        budget=f"1,200 random games, then {what}",
        seeds=(0, 1, 2, 3, 4),
        figures=(
            Figure("test/return@last", "mean return", digits=1, baseline="baseline/return", guess="random actions"),
            Figure("times_random", "times the return of random actions", digits=2, bar=times, all_but=1),
            Figure("seconds", "processor seconds of all stages", digits=0, bar=seconds, better="lower"),
        ),
        protocol="undiscounted return of 100 games of 500 steps at most, which were neither trained on nor dreamt; the"
        " mean of the search, which acts without noise; one thread",
        options={"pipeline": "world_models/dodge", "args": args, "quick": _FEW},
    )


ROWS = (
    _dreams("", "dreams at the temperature 1", 2.5, 150.0),
    *(
        _dreams(
            f"_t{temperature}".replace(".", ""),
            f"dreams at the temperature {temperature}",
            *(None, None),
            *("--controller.data.train_env_kwargs.temperature", str(temperature)),
        )
        for temperature in TEMPERATURES
    ),
)
