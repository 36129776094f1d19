"""The rows of agents with a policy."""

from dataclasses import replace
from typing import Any

from benchmarks.row import Row
from benchmarks.rows.shared import EPISODES, final_return

_HUNDRED, _TWO_HUNDRED = "100,000 environment steps", "200,000 environment steps"
_CAR, _SB3 = "mountain_car_continuous", "stable-baselines3"


def _row(
    config: str,
    system: str,
    budget: str,
    environment: str,
    bar: float | None = None,
    seeds: int = 5,
    program: str = "scores",
    **figure: Any,
) -> Row:
    return Row(
        name=config,
        kind="score",
        program=f"programs.{program}",
        system=system,
        config=f"configs/rl/{config}.yaml",
        budget=budget,
        seeds=tuple(range(seeds)),
        figures=(final_return(environment, bar=bar, **figure),),
        protocol=EPISODES,
    )


def _features(method: str, system: str, budget: str = "1,000,000 environment steps", **figure: Any) -> Row:
    return _row(f"{method}_mountain_car_features", system, budget, _CAR, program="policy_features", **figure)


ROWS = (
    _row(
        "a2c_cartpole",
        "A2C",
        _HUNDRED,
        "cartpole",
        bar=495,
        worst=475,
        seeds=10,
        anchor=f"{_SB3}, its tuned settings: 438 to 500",
    ),
    _row("a2c_cartpole_book", "A2C", "that of the configuration", "cartpole_book"),
    _row(
        "ppo_cartpole",
        "PPO",
        "50,000 environment steps",
        "cartpole",
        bar=500,
        worst=500,
        seeds=10,
        anchor=f"{_SB3}, its tuned settings: 500 on 3 of 3 at 100,000",
    ),
    _row("ppo_acrobot", "PPO", _TWO_HUNDRED, "acrobot", bar=-82, anchor=f"{_SB3}: -82.5 at 100,000"),
    _row(
        "ppo_lunar_lander",
        "PPO",
        "1,000,000 environment steps",
        "lunar_lander",
        bar=240,
        worst=200,
        anchor=f"{_SB3}, its tuned settings: 242",
    ),
    _row("a2c_mountain_car_continuous", "A2C", _HUNDRED, _CAR, bar=91, worst=91, anchor=f"{_SB3}: 91.3"),
    _row("ppo_mountain_car_continuous", "PPO", _HUNDRED, _CAR, bar=91, worst=91, anchor=f"{_SB3}: 76.8 at 20,000"),
    _row("ppo_pendulum", "PPO", _HUNDRED, "pendulum", bar=-180, anchor=f"{_SB3}, its tuned settings: -172"),
    _row("reinforce_cartpole", "REINFORCE", _TWO_HUNDRED, "cartpole", bar=475, all_but=1),
    _row("reinforce_baseline_cartpole", "REINFORCEBaseline", _TWO_HUNDRED, "cartpole", bar=475, all_but=1),
    _row("actor_critic_cartpole", "ActorCritic", _TWO_HUNDRED, "cartpole", bar=475, all_but=1),
    _row("q_actor_critic_cartpole", "QActorCritic", _TWO_HUNDRED, "cartpole"),
    _features("ppo", "PPO", _HUNDRED, bar=91, worst=91),
    # The features by which to judge those: a network's of random weights.
    replace(
        _row("ppo_mountain_car_features", "PPO", _HUNDRED, _CAR),
        name="ppo_mountain_car_random_features",
        budget=f"{_HUNDRED}, features of random weights",
    ),
    # The four methods of atienza 10.7, in the order in which their cars reached the flag; the book prints no numbers.
    _features("a2c", "A2C"),
    _features("reinforce_baseline", "REINFORCEBaseline"),
    _features("actor_critic", "ActorCritic"),
    _features("reinforce", "REINFORCE"),
)
