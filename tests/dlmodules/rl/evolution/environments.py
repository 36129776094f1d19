"""Environments for the tests of populations."""

from typing import Any

import gymnasium as gym
import numpy as np


class DictObservations(gym.Env[Any, Any]):
    observation_space = gym.spaces.Dict({"place": gym.spaces.Box(-1.0, 1.0, (2,), np.float32)})
    action_space = gym.spaces.Discrete(2)


gym.register("DictObservations-v0", DictObservations)
