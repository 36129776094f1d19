"""The rows of what predicts what comes next."""

from benchmarks.row import Figure, Row


def _memory(name: str, what: str, auc: float | None, read: float | None, *args: str) -> Row:
    return Row(
        name=f"mdn_rnn_car_racing{name}",
        kind="score",
        program="programs.world_memory",
        system="MDNRNN",
        config="configs/world_models/car_racing_mdn_rnn.yaml",
        budget=f"40 epochs of 160 episodes, two minutes of a core{what}",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("test/z_loss@last", "nats a number of the next code"),
                digits=3,
                better="lower",
                baseline="copy",
                guess="a Gaussian around the last code",
            ),
            Figure("test/reward_auc@last", "area under the ROC curve of the reward", digits=3, bar=auc, of_mean=True),
            *(
                Figure(f"r2_{key}", f"R2 of {title}, read from code and memory", digits=2, bar=read, of_mean=True)
                for key, title in (
                    ("speed", "the speed"),
                    ("distance", "the distance to the road"),
                    ("turn", "the road's turn ahead"),
                )
            ),
        ),
        protocol="episodes of wandering actions on tracks that were not trained on; readings by ridge regression on 40"
        " episodes more, the last ten of which are the test; final weights",
        options={"vision": "configs/world_models/car_racing_vae.yaml", "args": args},
        elsewhere="one core, five minutes",
        headline=not name,
    )


ROWS = (
    _memory("", "", 0.9, 0.9),
    _memory("_one_gaussian", ", with one Gaussian in place of five", None, None, "--model.components", "1"),
)
