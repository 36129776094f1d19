"""CMA-ES over a linear policy for the cart-pole, candidate after candidate, timed by the processor.

``python -m benchmarks.peers.plain_population RESULT SEED STEPS POPULATION``
"""

import json
import sys
import time
from pathlib import Path

import gymnasium as gym
import torch
from torch import nn
from torch.nn.utils import vector_to_parameters

from dlmodules.rl import CovarianceMatrixAdaptation


@torch.no_grad()
def main(result: str, seed: str, steps: str, population: str) -> None:
    """Play generations until ``steps`` are done, and write how many that were and their ``seconds``."""
    torch.set_num_threads(1)
    env = gym.make("CartPole-v1")
    network = nn.Linear(4, 2)
    search = CovarianceMatrixAdaptation(torch.zeros(10), population_size=int(population))
    generator = torch.Generator().manual_seed(int(seed))
    done, generation = 0, 0
    begin = time.process_time()
    while done < int(steps):
        candidates, fitness = search.ask(generator), torch.zeros(int(population))
        for number, candidate in enumerate(candidates):
            vector_to_parameters(candidate.float(), network.parameters())
            observation, _ = env.reset(seed=generation)
            ended = False
            while not ended:
                action = int(network(torch.from_numpy(observation)).argmax())
                observation, reward, terminated, truncated, _ = env.step(action)
                ended = terminated or truncated
                fitness[number] += float(reward)
                done += 1
        search.tell(candidates, fitness)
        generation += 1
    Path(result).write_text(json.dumps({"steps": done, "seconds": time.process_time() - begin}))


if __name__ == "__main__":
    main(*sys.argv[1:])
