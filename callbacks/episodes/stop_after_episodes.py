"""End a run after so many episodes, where its budget is not in steps."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError


class StopAfterEpisodes(Callback):
    """Ends the training when so many episodes are over, or so many good ones.

    It looks after each iteration, so an agent that is to end with an episode's last step needs
    ``steps_per_iteration`` 1. The data module's budget of steps stays: whichever comes first. It logs
    ``train/good_episodes``. A resumed run goes on counting.

    Args:
        episodes: the run ends when so many are over.
        good_return: count those alone whose return is as much; None counts all.
    """

    def __init__(self, episodes: int, good_return: float | None = None) -> None:
        if episodes < 1:
            raise UserError(f"StopAfterEpisodes: episodes is {episodes}; it must be 1 or more")
        self.episodes = episodes
        self.good_return = good_return
        self.seen = 0
        self.good = 0

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse data without environments, and count anew; where a run is resumed, ``load_state_dict`` comes next."""
        if not hasattr(type(datamodule_of(trainer)), "train_envs"):
            raise UserError("StopAfterEpisodes counts the episodes of an EnvironmentDataModule")
        self.seen = self.good = 0

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the episodes of an iteration. More than the environments remember, 100, are not seen."""
        datamodule: Any = datamodule_of(trainer)
        envs = datamodule.train_envs
        returns, new = list(envs.recent_returns), envs.episodes - self.seen
        self.seen = envs.episodes
        for value in returns[max(0, len(returns) - new) :]:
            self.good += self.good_return is None or value >= self.good_return
        if new:
            pl_module.log("train/good_episodes", float(self.good), batch_size=1)
        if self.good >= self.episodes:
            trainer.should_stop = True

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen, "good": self.good}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seen, self.good = state_dict["seen"], state_dict["good"]
