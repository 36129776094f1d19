"""An environment that kills its process, in a module whose import draws no random numbers."""

import os
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym


class KillsAt(gym.Wrapper[Any, Any, Any, Any]):
    """Kills its process at a step, counted over all environments, where the file ``once`` is not there yet."""

    steps = 0

    def __init__(self, env: "gym.Env[Any, Any]", at: int, once: str) -> None:
        super().__init__(env)
        self.at, self.once = at, Path(once)

    def step(self, action: Any) -> Any:
        KillsAt.steps += 1
        if KillsAt.steps == self.at and not self.once.exists():
            self.once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(action)
