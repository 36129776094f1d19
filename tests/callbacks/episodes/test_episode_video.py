import gymnasium as gym
import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning import LightningDataModule, LightningModule

from callbacks import EpisodeVideo
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, random_states, trainer


class Corridor(gym.Env):
    """Walk right to the end; the picture's bright column is where one stands. Reward 1 a step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium's own form)
    observation_space = gym.spaces.Box(0, 9, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)
    open_ones = 0

    def __init__(self, length=5, render_mode=None):
        self.length, self.render_mode = length, render_mode
        Corridor.open_ones += 1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        np.random.rand()  # a careless environment
        self.seed, self.place = seed, 0
        return np.array([0.0]), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.place += int(action)
        return np.array([float(self.place)]), 1.0, self.place == self.length, False, {}

    def render(self):
        picture = np.zeros((16, 16, 3), np.uint8)
        picture[:, 2 * self.place : 2 * self.place + 2] = (255, 0, 255 * (self.seed == 1))
        return picture

    def close(self):
        Corridor.open_ones -= 1


class Data(LightningDataModule):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def make_env(self, render_mode=None):
        return Corridor(render_mode=render_mode, **self.options)

    def train_dataloader(self):
        return loader()


class Walker(ToyVAE):
    def act(self, observation):
        assert observation.shape == (1, 1)
        assert observation.dtype == torch.float32
        assert not self.training
        return (observation[:, 0] < 99).long()


def film_columns(path):
    film = Image.open(path)
    columns = []
    for index in range(film.n_frames):
        film.seek(index)
        columns.append(int(np.asarray(film.convert("RGB"))[8, :, 0].argmax()) // 2)
    return columns, film.info["duration"]


def test_film_shows_the_whole_episode(tmp_path):
    logger = ImageLogger()
    states = []

    class Watched(EpisodeVideo):
        def plot(self, trainer, pl_module):
            states.append(random_states())
            super().plot(trainer, pl_module)
            states.append(random_states())

    trainer(tmp_path, Watched(), logger=logger).fit(Walker(), Data())
    path = tmp_path / "media" / "episode-0000003.gif"
    assert film_columns(path) == ([0, 1, 2, 3, 4, 5], 100)
    assert logger.films == [("episode", str(path), 2)]
    assert states[0] == states[1]
    assert Corridor.open_ones == 0


def test_several_episodes_have_their_own_seeds_and_films(tmp_path):
    trainer(tmp_path, EpisodeVideo(episodes=2, seed=0)).fit(Walker(), Data())
    first, second = [
        np.asarray(Image.open(tmp_path / "media" / f"episode_{k}-0000003.gif").convert("RGB")) for k in (0, 1)
    ]
    assert (first[8, 0] == (255, 0, 0)).all()
    assert (second[8, 0] == (255, 0, 255)).all()


def test_endless_episode_is_cut(tmp_path):
    trainer(tmp_path, EpisodeVideo(max_steps=3)).fit(Walker(), Data(length=10**6))
    assert film_columns(tmp_path / "media" / "episode-0000003.gif")[0] == [0, 1, 2, 3]


def test_failing_renderer_warns_once_and_stops_nothing(tmp_path):
    class Blind(Corridor):
        def render(self):
            raise gym.error.DependencyNotInstalled("pygame is not installed")

    class BlindData(Data):
        def make_env(self, render_mode=None):
            return Blind(render_mode=render_mode)

    with pytest.warns(UserWarning, match="cannot film: pygame is not installed") as caught:
        trainer(tmp_path, EpisodeVideo(), max_epochs=2).fit(Walker(), BlindData())
    assert len([w for w in caught if "cannot film" in str(w.message)]) == 1
    assert Corridor.open_ones == 0


def test_real_environment_without_a_screen(tmp_path):
    pytest.importorskip("pygame")

    class CartPole(Data):
        def make_env(self, render_mode=None):
            return gym.make("CartPole-v1", render_mode=render_mode)

    class Pusher(ToyVAE):
        def act(self, observation):
            return (observation[:, 2] > 0).long()

    trainer(tmp_path, EpisodeVideo()).fit(Pusher(), CartPole())
    film = Image.open(tmp_path / "media" / "episode-0000003.gif")
    assert film.size == (600, 400)
    assert film.n_frames > 20
    durations = []
    for index in range(film.n_frames):
        film.seek(index)
        durations.append(film.info["duration"])
    assert set(durations) <= {20, 40, 60, 80, 100}  # 50 pictures a second; equal ones in a row are joined


def test_mistakes_are_named(tmp_path, monkeypatch):
    class Plain(LightningModule):
        pass

    with pytest.raises(UserError, match="a method `act`; Plain has none"):
        EpisodeVideo().setup(trainer(tmp_path), Plain(), "fit")
    with pytest.raises(UserError, match="needs a data module with `make_env`"):
        trainer(tmp_path, EpisodeVideo()).fit(Walker(), loader())
    with pytest.raises(UserError, match="fmt is gif or mp4"):
        EpisodeVideo(fmt="avi")
    with pytest.raises(UserError, match="must be 1 or more"):
        EpisodeVideo(episodes=0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="mp4 needs imageio-ffmpeg"):
        EpisodeVideo(fmt="mp4")
