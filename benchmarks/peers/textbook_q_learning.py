"""Q-learning on the slippery lake as the textbooks write it, timed by the processor.

``python -m benchmarks.peers.textbook_q_learning RESULT SEED STEPS``
"""

import json
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np


def main(result: str, seed: str, steps: str) -> None:
    """Do ``steps`` steps of one environment and write their ``seconds``."""
    env = gym.make("FrozenLake-v1")
    rng = np.random.default_rng(int(seed))
    q = np.zeros((16, 4))
    begin = time.process_time()
    state, _ = env.reset(seed=int(seed))
    for _ in range(int(steps)):
        action = int(rng.integers(4)) if rng.random() < 0.1 else int(np.argmax(q[state]))
        next_state, reward, terminated, truncated, _ = env.step(action)
        target = float(reward) + 0.99 * (not terminated) * np.max(q[next_state])
        q[state, action] += 0.1 * (target - q[state, action])
        state = next_state
        if terminated or truncated:
            state, _ = env.reset()
    Path(result).write_text(json.dumps({"seconds": time.process_time() - begin}))


if __name__ == "__main__":
    main(*sys.argv[1:])
