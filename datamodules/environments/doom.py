"""DoomTakeCover: monsters throw fireballs, and who is alive has a reward. The game of World Models, by ViZDoom."""

import shlex
import shutil
import tempfile
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from PIL import Image
from typing_extensions import override

from datamodules.environments.registering import register_once
from dlmodules.errors import UserError, install_command
from dlmodules.validation.arguments import check_at_least_one, require_at_least

if TYPE_CHECKING:
    from vizdoom import DoomGame

TAKE_COVER = "dlmodules/DoomTakeCover-v0"
MAX_TICS = 2_100
"""A minute of the game, 35 tics a second: then an episode is truncated."""

SMALLEST = 16
WIDTH, HEIGHT, VIEW = 160, 120, 100  # pixels of the screen; the bar with the health is below the view
LEFT, STAY, RIGHT = range(3)

# The engine makes a folder in the one where it is started, and stays when its player was killed: so it is started in a
# folder of its own, and a shell looks whether the player is still there. What they print is nobody's.
STARTER = """#!/bin/sh
exec < /dev/null > /dev/null 2>&1
cd {folder} || exit 1
(while kill -0 $$; do kill -0 "$PPID" || {{ kill -9 $$; rm -rf {folder}; }}; sleep 5; done) &
exec {engine} "$@"
"""


class DoomTakeCover(gym.Env[Any, Any]):
    """Stay out of the way of fireballs, for a reward of 1 for each tic. Observations are ``(64, 64, 3)`` uint8.

    It is ViZDoom's scenario ``take_cover`` with Freedoom's pictures, which come with ViZDoom. Monsters appear at the
    far wall of a room, more and more of them, and about three of their fireballs kill. All that can be done is to walk
    left (0) or right (2), or to stay (1). As in World Models, the bar below the view is cut off, the rest is shrunk to
    a square, and an episode is truncated after 2,100 tics.

    Everything in an episode follows from the seed of its reset and the actions. There is no picture of the death: the
    observation that comes with it is the one before. The engine is a process of its own, which ``reset`` starts; it has
    no window and no sound, and its files lie in a temporary folder until ``close``.

    Paper: Ha & Schmidhuber 2018, World Models, arXiv:1803.10122.
    Books: foster F8.9.

    Args:
        size: of a frame, in pixels.
        action_repeat: tics that an action lasts for, of which the last is seen; each pays.
        flashes: redden the picture for a second where a fireball hits, as Doom does; the scenario leaves it out.
        render_mode: ``rgb_array`` for pictures; None draws nothing.

    Raises:
        UserError: ViZDoom is not installed, or a number is out of range.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 35}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(
        self, size: int = 64, action_repeat: int = 1, flashes: bool = False, render_mode: str | None = None
    ) -> None:
        if find_spec("vizdoom") is None:
            raise UserError(f"{TAKE_COVER} needs vizdoom: {install_command('doom')}")
        require_at_least(SMALLEST, size=size)
        check_at_least_one(action_repeat=action_repeat)
        self.size, self.action_repeat, self.flashes, self.render_mode = size, action_repeat, flashes, render_mode
        self.observation_space = gym.spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.action_space = gym.spaces.Discrete(3)
        self._game: DoomGame | None = None
        self._end: weakref.finalize[..., Any] | None = None
        self._screen = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self._game is None:
            folder = Path(tempfile.mkdtemp(prefix="doom-"))
            self._game = _make_game(folder, self.flashes)
            self._end = weakref.finalize(self, _end_game, self._game, folder)
        self._game.set_seed(int(self.np_random.integers(2**32)))
        if self._game.is_running():
            self._game.new_episode()
        else:
            self._game.init()
        return self._look(self._game), {}

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self._game is not None
        # The first tic has the number 1, so that is how many are left.
        left = MAX_TICS + 1 - self._game.get_episode_time()
        reward = self._game.make_action([action == LEFT, action == RIGHT], min(self.action_repeat, left))
        died = self._game.is_episode_finished()
        over = not died and self._game.get_episode_time() > MAX_TICS
        return self._look(self._game), float(reward), died, over, {}

    def _look(self, game: "DoomGame") -> Any:
        state = game.get_state()
        if state is not None:
            self._screen = state.screen_buffer
        view = Image.fromarray(self._screen[:VIEW])
        return np.array(view.resize((self.size, self.size), Image.Resampling.BILINEAR))

    @override
    def render(self) -> Any:
        """Return the screen ``(240, 320, 3)`` uint8, the bar included; None without a render mode."""
        if self.render_mode is None:
            return None
        return self._screen.repeat(2, axis=0).repeat(2, axis=1)

    @override
    def close(self) -> None:
        """End the engine, and remove its files."""
        if self._end is not None:
            self._end()
        self._game = self._end = None


def _make_game(folder: Path, flashes: bool) -> "DoomGame":
    """Return a game that is not running yet, whose files will lie in ``folder``."""
    import vizdoom

    game = vizdoom.DoomGame()
    starter = folder / "engine"
    engine = Path(vizdoom.__file__).with_name("vizdoom")
    starter.write_text(STARTER.format(folder=shlex.quote(str(folder)), engine=shlex.quote(str(engine))))
    starter.chmod(0o700)
    game.load_config(str(Path(vizdoom.scenarios_path) / "take_cover.cfg"))
    game.set_vizdoom_path(str(starter))
    game.set_doom_config_path(str(folder / "vizdoom.ini"))
    game.set_screen_resolution(vizdoom.ScreenResolution.RES_160X120)
    game.set_screen_format(vizdoom.ScreenFormat.RGB24)
    game.set_render_hud(True)  # without it, the view is as high as the screen
    game.set_render_screen_flashes(flashes)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    return game


def _end_game(game: "DoomGame", folder: Path) -> None:
    game.close()
    shutil.rmtree(folder, ignore_errors=True)


def register_doom() -> None:
    """Tell Gymnasium of it, once."""
    register_once(TAKE_COVER, DoomTakeCover)
