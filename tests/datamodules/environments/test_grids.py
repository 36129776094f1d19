import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.grids import CELL, MOVES, Grid, GridWorld, Maze, QWorld
from dlmodules.errors import UserError

LEFT, DOWN, RIGHT, UP = range(4)


def follow(env: Grid, actions: list[int], state: int | None = None) -> tuple[list[int], list[float], bool]:
    env.reset(seed=0)
    if state is not None:
        env.state = state
    steps = [env.step(action) for action in actions]
    return [step[0] for step in steps], [step[1] for step in steps], steps[-1][2]


def test_the_grid_world_costs_one_a_move_until_a_corner_and_its_edges_hold() -> None:
    assert follow(GridWorld(), [UP, LEFT], state=1) == ([1, 0], [-1, -1], True)
    assert follow(GridWorld(), [DOWN, DOWN, RIGHT], state=6) == ([10, 14, 15], [-1, -1, -1], True)
    assert GridWorld().P[0] == {action: [(1.0, 0, 0.0, True)] for action in range(4)}


def test_the_grid_world_begins_in_each_of_its_other_cells_alike() -> None:
    assert GridWorld().initial_state_distrib.tolist() == [0, *[1 / 14] * 14, 0]
    env = GridWorld()
    assert {env.reset(seed=seed)[0] for seed in range(200)} == set(range(1, 15))


def test_qworld_is_the_books() -> None:
    gained = {
        (state, action): env_reward
        for state, row in QWorld().P.items()
        for action, [(_, _, env_reward, _)] in row.items()
        if env_reward
    }
    assert gained == {(1, RIGHT): 100.0, (4, RIGHT): -100.0}
    assert follow(QWorld(), [RIGHT, DOWN, RIGHT]) == ([1, 4, 5], [0, 0, -100], True)
    assert follow(QWorld(), [LEFT, UP, RIGHT, UP, RIGHT]) == ([0, 0, 1, 1, 2], [0, 0, 0, 0, 100], True)
    assert follow(QWorld(), [DOWN], state=4)[0] == [4]


def test_the_maze_pays_for_carrots_and_hurts_in_traps_each_time() -> None:
    short = [RIGHT, RIGHT, DOWN, DOWN, RIGHT, DOWN, DOWN, DOWN, RIGHT, RIGHT, RIGHT, RIGHT]
    states, rewards, terminated = follow(Maze(), short)
    assert (len(states), states[-1], sum(rewards), terminated) == (12, 47, -2, True)
    long = [RIGHT, RIGHT, DOWN, DOWN, RIGHT, RIGHT, UP, UP, RIGHT, RIGHT, DOWN, DOWN, RIGHT, DOWN, DOWN, DOWN]
    assert sum(follow(Maze(), long)[1]) == 5
    assert sum(follow(Maze(carrot_reward=3), long)[1]) == 7
    assert follow(Maze(), [UP, RIGHT, DOWN])[:2] == ([0, 1, 1], [-1, -1, -1])  # off the grid, and against a wall
    assert Maze(cells=["SC", "#G"]).P[0][RIGHT] == [(1.0, 1, 0.0, False)]


def test_who_stays_in_a_cell_gets_nothing_for_what_is_in_it() -> None:
    assert Maze(cells=["SCG"]).P[1][UP] == [(1.0, 1, -1.0, False)]


def test_the_table_is_what_an_environment_does() -> None:
    env = Maze()
    for state, row in env.P.items():
        if env.cells[state // 8][state % 8] in "#G":
            continue
        for action, [(probability, after, gained, terminated)] in row.items():
            env.state = state
            assert env.step(action)[:3] == (after, gained, terminated)
            assert probability == 1
            assert after - state in (0, MOVES[action][0] * 8 + MOVES[action][1])


@pytest.mark.parametrize("name", ["GridWorld", "Maze", "QWorld"])
def test_an_id_is_enough(name: str) -> None:
    data = EnvironmentDataModule(f"dlmodules/{name}-v0", vectorization="table", num_envs=4)
    assert data.transitions.max_steps == 100
    assert data.num_states == data.transitions.num_states
    terminal = data.transitions.terminal
    assert int(terminal.sum()) == {"GridWorld": 2, "Maze": 16, "QWorld": 2}[name]  # walls among them
    assert data.train_envs.observation.dtype == torch.int64
    assert data.make_env().spec is not None


@pytest.mark.slow
def test_each_process_knows_the_grids() -> None:
    stream = EnvironmentDataModule("dlmodules/QWorld-v0", num_envs=2, vectorization="async").train_envs
    assert stream.step(torch.tensor([RIGHT, DOWN])).next_observation.tolist() == [1, 3]
    stream.close()


def test_a_picture_shows_walls_the_agent_and_what_lies_in_a_cell() -> None:
    env = Maze(render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    assert before.shape == (6 * CELL, 8 * CELL, 3)
    assert before.dtype == np.uint8
    centres = before[CELL // 2 :: CELL, CELL // 2 :: CELL]
    colours = {letter: {tuple(centres[row, column]) for row, column in places(env, letter)} for letter in "S.#CTG"}
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 6
    env.step(RIGHT)
    after = env.render()[CELL // 2 :: CELL, CELL // 2 :: CELL]
    assert np.array_equal(after[0, 1], centres[0, 0])
    assert not np.array_equal(after[0, 0], centres[0, 0])
    assert QWorld().render() is None


def places(env: Maze, letter: str) -> list[tuple[int, int]]:
    return [(row, column) for row, text in enumerate(env.cells) for column, found in enumerate(text) if found == letter]


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        (
            "dlmodules/Nothing-v0",
            {},
            "Known without further packages: ALVINNRoad, Dodge, Dream, GridWorld, MaximizationBias, Maze, QWorld,"
            " RandomWalk",
        ),
        ("dlmodules/GridWorld-v0", {"size": 1}, "it must be 2 or more"),
        ("dlmodules/Maze-v0", {"cells": ["S.", "G"]}, "must be of one length"),
        ("dlmodules/Maze-v0", {"cells": [".G"]}, "where episodes begin"),
        ("dlmodules/QWorld-v0", {"size": 1}, "does not take env_kwargs"),
    ],
)
def test_mistakes_are_told_in_a_line(env_id: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as found:
        EnvironmentDataModule(env_id, env_kwargs=arguments).make_env()
    assert "\n" not in str(found.value)
