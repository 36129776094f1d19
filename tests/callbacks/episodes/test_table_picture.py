import matplotlib.collections
import numpy as np
import pytest
import torch
from PIL import Image

from callbacks import TablePicture, TableVideo
from callbacks.episodes.cells import MOVES, cells_of
from callbacks.episodes.table_figures import grid_figure, heat_figure
from callbacks.episodes.tables import grid_of, values_of
from datamodules import EnvironmentDataModule
from dlmodules import PolicyEvaluation, ValueIteration
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyVAE, loader, trainer
from tests.dlmodules.rl import agent_runs

LEFT, DOWN, RIGHT, UP = MOVES


def env(env_id: str, **arguments):
    return EnvironmentDataModule(env_id, env_kwargs=arguments).make_env()


@pytest.mark.parametrize(
    ("env_id", "shape", "moves"),
    [
        ("dlmodules/GridWorld-v0", (4, 4), (LEFT, DOWN, RIGHT, UP)),
        ("dlmodules/Maze-v0", (6, 8), (LEFT, DOWN, RIGHT, UP)),
        ("FrozenLake-v1", (4, 4), (LEFT, DOWN, RIGHT, UP)),  # it slips to both sides, which cancels
        ("CliffWalking-v1", (4, 12), (UP, RIGHT, DOWN, LEFT)),  # falls lead to the start
    ],
)
def test_where_states_lie_and_actions_lead_is_read_from_the_environment(env_id, shape, moves):
    cells = cells_of(env(env_id))
    assert (cells.shape, cells.moves) == (shape, moves)
    assert cells.leads_everywhere
    assert cells.ends[-1]


def test_letters_and_ends_are_those_of_the_map():
    lake = cells_of(env("FrozenLake-v1"))
    assert lake.letters == "S....H.H...HH..G"
    assert [state for state in range(16) if lake.ends[state]] == [5, 7, 11, 12, 15]
    assert cells_of(env("dlmodules/QWorld-v0")).letters == "S.G..H"
    assert cells_of(env("CliffWalking-v1")).letters == "." * 48


@pytest.mark.parametrize("env_id", ["Taxi-v4", "Blackjack-v1", "CartPole-v1"])
def test_other_states_lie_on_no_grid(env_id):
    assert cells_of(env(env_id)) is None
    assert grid_of(object()) is None


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def arrows(axes):
    return [text for text in axes.texts if not text.get_text()]


def test_a_grid_shows_values_arrows_and_triangles():
    cells = cells_of(env("dlmodules/QWorld-v0"))
    q = np.array([[81, 72.9, 90, 81], [81, 81, 100, 90], [0] * 4, [72.9, 72.9, 81, 81], [72.9, 81, -100, 90], [0] * 4])
    figure = grid_figure(cells, q.max(1), q)
    states, actions = figure.axes[:2]
    assert [text for text in texts(states) if not text.isalpha()] == ["90", "100", "0", "81", "90", "0"]
    assert [text for text in texts(states) if text.isalpha()] == ["S", "G", "H"]
    assert len(arrows(states)) == 5  # two from the corner below, none from where episodes end
    [triangles] = [child for child in actions.collections if isinstance(child, matplotlib.collections.PolyCollection)]
    assert len(triangles.get_paths()) == 16
    assert triangles.get_array().tolist() == q[[0, 1, 3, 4]].flatten().tolist()
    right = triangles.get_paths()[2].vertices[:3]  # of the first cell
    assert right.tolist() == [[0, 0], [0.5, -0.5], [0.5, 0.5]]


def test_a_grid_without_actions_shows_its_values_alone():
    cells = cells_of(env("dlmodules/Maze-v0"))
    figure = grid_figure(cells, np.arange(48.0), None)
    assert len(figure.axes) == 2  # the map and its colours
    assert "3" not in texts(figure.axes[0])  # a wall
    assert not arrows(figure.axes[0])


@pytest.mark.parametrize(("states", "title"), [(500, "each action"), (10_000, "row by row")])
def test_other_tables_are_heat_maps(states, title):
    q = np.random.default_rng(0).normal(size=(states, 2))
    figure = heat_figure(q.max(1), q)
    assert title in figure.axes[0].get_title()
    [image] = figure.axes[0].images
    assert image.get_array().shape == ((2, 500) if states == 500 else (100, 100))
    assert heat_figure(q.max(1), None).axes


def test_a_state_is_worth_its_best_action_unless_the_agent_says_otherwise():
    v, q = values_of(PolicyEvaluation(num_states=3, num_actions=2))
    assert (v.shape, q.shape) == ((3,), (3, 2))

    class Table(torch.nn.Module):
        def action_values(self):
            return torch.tensor([[1.0, 2.0], [4.0, 3.0]])

    assert values_of(Table())[0].tolist() == [2, 4]


@pytest.mark.parametrize("env_id", ["dlmodules/GridWorld-v0", "Taxi-v4"])
def test_a_run_leaves_pictures(tmp_path, env_id):
    data = agent_runs.data(env_id=env_id, num_envs=1, total_steps=3, steps_per_epoch=2, eval_episodes=1)
    run = agent_runs.trainer(default_root_dir=tmp_path, callbacks=[TablePicture()], limit_val_batches=0)
    run.fit(ValueIteration(num_states=data.num_states, num_actions=data.num_actions), data)
    names = sorted(path.name for path in (tmp_path / "media").iterdir())
    assert names == ["table-0000002.png", "table-0000003.png"]
    with Image.open(tmp_path / "media" / names[0]) as picture:
        assert picture.width > 300


def test_a_module_without_a_table_is_refused(tmp_path):
    with pytest.raises(UserError, match="needs a module with a method `action_values` or a method `state_values`"):
        trainer(tmp_path, TablePicture()).fit(ToyVAE(), loader())


@pytest.mark.parametrize("env_id", ["dlmodules/QWorld-v0", "FrozenLake-v1"])
def test_a_film_has_the_table_beside_it_with_the_state_marked(tmp_path, env_id):
    data = agent_runs.data(env_id=env_id, num_envs=1, total_steps=6, eval_episodes=1)
    callback = TableVideo(max_steps=4)
    run = agent_runs.trainer(default_root_dir=tmp_path, callbacks=[callback], limit_val_batches=0)
    run.fit(ValueIteration(num_states=data.num_states, num_actions=4), data)
    [path] = (tmp_path / "media").glob("episode_table*.gif")
    with Image.open(path) as film:
        frames = [np.asarray((film.seek(index), film.convert("RGB"))[1], dtype=int) for index in range(film.n_frames)]
    assert len(frames) > 1
    assert frames[0].shape[0] == 360
    assert frames[0].shape[1] > 720
    marks = [(frame[..., 0] > 200) & (frame[..., 1:].max(-1) < 80) for frame in frames]
    columns = [np.flatnonzero(mark.any(0)) for mark in marks]
    assert all(mark.any() for mark in marks)
    assert any(not np.array_equal(marks[0], mark) for mark in marks[1:])
    assert all(found.min() > 300 for found in columns)  # to the right of the frame
