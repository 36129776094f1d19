"""The rows of agents that learn by populations."""

from typing import Any

from benchmarks.row import Row
from benchmarks.rows.shared import EPISODES, final_return


def _row(config: str, system: str, budget: str, environment: str, seeds: int, **figure: Any) -> Row:
    return Row(
        name=config,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{config}.yaml",
        budget=f"{budget} environment steps, those of all candidates",
        seeds=tuple(range(seeds)),
        figures=(final_return(environment, **figure),),
        protocol=EPISODES,
        options={"baseline": "random_actions"},
        cost="seconds",
    )


ROWS = (
    _row("cmaes_cartpole", "CMAES", "30,000", "cartpole", 10, bar=500),
    _row(
        "cmaes_mountain_car_continuous",
        "CMAES",
        "200,000",
        "mountain_car_continuous",
        10,
        bar=95,
        worst=93,
        anchor="stable-baselines3: PPO 76.8, A2C 91.3, SAC 94.7, ARS 96.7",
    ),
    _row("openai_es_cartpole", "OpenAIES", "200,000", "cartpole", 5, bar=475),
    _row("genetic_algorithm_cartpole", "GeneticAlgorithm", "100,000", "cartpole", 5, bar=475),
)
