"""A road that ends where it begins, on which a car is steered by what its camera and its range finder see."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from datamodules.driving.drawn_roads import MAX_CURVATURE
from datamodules.driving.loop import SPACING, Loop, LoopAhead
from datamodules.driving.retina import PIXELS, pictures_of, seen
from datamodules.driving.scenery import Scenery
from datamodules.environments.registering import register_once
from dlmodules.errors import UserError

STEP = 1.0
"""Metres that the car drives between two frames."""

MAP_SIDE, ENLARGED = 240, 8
"""Pixels of the map's side, and of each of the camera's pixels, in a picture."""

ROAD, CAR, GROUND = (90, 90, 95), (215, 60, 50), (205, 220, 190)


class WindingRoad(gym.Env[NDArray[np.float32], NDArray[np.float32]]):
    """A car drives once around a road; each episode has another one, 250 to 400 metres long.

    An observation ``(1216,)`` float32 in [0, 1] is what ``ALVINN`` sees: 30 x 32 pixels of the blue channel, then
    8 x 32 of a range finder. An action ``(1,)`` in [-1, 1] steers, from a circle of ten metres to the left to one to
    the right, for a metre, and is paid what the car has come along the road, in metres. The episode ends when the
    middle of the car leaves the road, or once it is around, which ``info["around"]`` tells; ``info["lateral"]`` is how
    far right of the middle of the road it is, in metres, and ``info["length"]`` how long the road is.

    Args:
        render_mode: ``rgb_array`` for pictures of a map and of what the camera sees; None draws nothing.

    Raises:
        UserError: for an action of another shape, or one that is not a finite number.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise UserError(f"{type(self).__name__}: render_mode is rgb_array or null, not {render_mode}")
        self.render_mode = render_mode
        self.observation_space = gym.spaces.Box(0.0, 1.0, (PIXELS,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._begin(0)

    def _begin(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.loop, self.scenery = Loop.drawn(self.generator), Scenery.drawn(1, self.generator)
        self.half_width = float(self.scenery.half_width)
        self.place, self.point, self.driven = self.loop.points[0].clone(), 0, 0.0
        right, ahead = self.loop.tangents[0].tolist()
        self.heading = math.atan2(right, ahead)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self._begin(int(self.np_random.integers(2**31)))
        return self._observation(), self._told()

    @override
    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        steering = np.asarray(action, dtype=np.float64).reshape(-1)
        if steering.shape != (1,) or not np.isfinite(steering).all():
            raise UserError(f"WindingRoad takes one finite number as an action, not {action}")
        self._move(MAX_CURVATURE * float(steering.clip(-1.0, 1.0)[0]))
        point = self.loop.near(self.place, self.point)
        n = len(self.loop.points)
        # The shorter way around: the car may have come back a little.
        came = SPACING * ((point - self.point + n // 2) % n - n // 2)
        self.point = point
        self.driven += came
        told = self._told()
        return self._observation(), came, abs(told["lateral"]) > self.half_width or told["around"], False, told

    def _move(self, curvature: float) -> None:
        """Drive a step on a circle."""
        # The direction of the chord, which is as long as the arc but for a thousandth.
        middle = self.heading + curvature * STEP / 2
        self.place = self.place + STEP * torch.tensor([math.sin(middle), math.cos(middle)])
        self.heading += curvature * STEP

    def _told(self) -> dict[str, Any]:
        lateral = self.loop.beside(self.place, self.point)
        return {"around": self.driven >= self.loop.length, "lateral": lateral, "length": self.loop.length}

    def _observation(self) -> NDArray[np.float32]:
        ahead = LoopAhead(self.loop, self.place, self.heading, self.point)
        found: NDArray[np.float32] = seen(ahead, self.scenery, self.generator)[0].numpy()
        self.picture = found
        return found

    @override
    def render(self) -> Any:
        """Return a picture ``(240, 496, 3)`` uint8 of map and camera; None without a ``render_mode``."""
        return None if self.render_mode is None else np.concatenate([self._map(), self._view()], axis=1)

    def _map(self) -> NDArray[np.uint8]:
        image = np.full((MAP_SIDE, MAP_SIDE, 3), GROUND, np.uint8)
        points = self.loop.points
        low, high = points.amin(dim=0), points.amax(dim=0)
        scale = (MAP_SIDE - 21) / float((high - low).max())

        def pixels(places: torch.Tensor) -> NDArray[np.int64]:
            across, up = ((places - (low + high) / 2) * scale + MAP_SIDE / 2).T
            found: NDArray[np.int64] = torch.stack([MAP_SIDE - 1 - up, across], dim=-1).round().long().numpy()
            return found

        for rows, radius, colour in ((points, 1, ROAD), (self.place.view(1, 2), 3, CAR)):
            for row, column in pixels(rows):
                top, left = max(row - radius, 0), max(column - radius, 0)
                image[top : row + radius + 1, left : column + radius + 1] = colour
        return image

    def _view(self) -> NDArray[np.uint8]:
        blue, _ = pictures_of(torch.from_numpy(self.picture).unsqueeze(0))
        levels = (blue[0].numpy() * 255).astype(np.uint8)
        return levels.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)[:, :, None].repeat(3, axis=2)


def register_roads() -> None:
    """Tell Gymnasium of the road, once."""
    # Around a loop of 400 metres, with half of them again for who does not keep to the middle.
    register_once("dlmodules/ALVINNRoad-v0", WindingRoad, max_episode_steps=600)
