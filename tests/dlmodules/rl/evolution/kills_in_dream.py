"""Dreams that kill their process, in a module whose import draws no random numbers."""

import os
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym

from datamodules.environments.dreams import DreamEnv, DreamVectorEnv


class KillingDreams(DreamVectorEnv):
    """They do so inside generation ``at``, the first being 1, where the file ``once`` is not there yet."""

    def __init__(self, num_envs: int = 1, at: int = 1, once: str = "", **kwargs: Any) -> None:
        super().__init__(num_envs, **kwargs)
        self.at, self.once, self.generations = at, Path(once), 0

    def reset(self, **kwargs: Any) -> Any:
        self.generations += 1
        return super().reset(**kwargs)

    def step(self, actions: Any) -> Any:
        if self.generations == self.at and not self.once.exists():
            self.once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(actions)


gym.register(
    "KillingDream-v0", DreamEnv, vector_entry_point=KillingDreams, order_enforce=False, disable_env_checker=True
)
