"""Gymnasium's CarRacing with its frames drawn by a gather in place of a thousand polygons."""

from typing import Any

import gymnasium as gym
import numpy as np
from Box2D import b2World
from gymnasium.envs.box2d import car_racing
from typing_extensions import override

from datamodules.environments.racing.camera import FULL_ZOOM, Camera, zoom_at
from datamodules.environments.racing.driving import quicken
from datamodules.environments.racing.indicators import BAR, Indicators
from datamodules.environments.racing.sprites import sprite_of
from datamodules.environments.racing.surfaces import dimming
from datamodules.environments.racing.track_map import TrackMap
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

SMALLEST = 16


class CarRacing(car_racing.CarRacing):
    """Gymnasium's ``CarRacing-v3``, whose observations are drawn some forty times as fast.

    Physics, tracks, rewards and ends are Gymnasium's, to the bit. A frame is read from a map of the track that is drawn
    once an episode, and differs from Gymnasium's, shrunk to the same size, by about one level of 255 in the mean. An
    episode depends on its seed alone, and not on those before it. ``render`` draws as Gymnasium does.

    A lap ends when all tiles have been driven on: Gymnasium's ``lap_complete_percent`` counts only where the tile at
    the start, on which the car stands, is the last one.

    Args:
        size: of a frame, in pixels; Gymnasium's are of 96.
        indicators: show the bar with the return, the speed and the wheels. False cuts it off, and the picture above it
            fills the frame, as in World Models.
        action_repeat: frames that an action lasts for, of which the last is seen; the limit of steps counts actions.
        patience: end an episode after so many frames without a new tile; None waits to its end.
        **kwargs: of Gymnasium's ``CarRacing``.

    Raises:
        UserError: for frames of less than 16 pixels.
    """

    def __init__(
        self,
        size: int = 64,
        indicators: bool = True,
        action_repeat: int = 1,
        patience: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_at_least_one(action_repeat=action_repeat, patience=patience)
        if size < SMALLEST:
            raise UserError(f"size is {size}, but CarRacing's frames have {SMALLEST} pixels at least")
        seen = 1.0 if indicators else 1 - BAR / car_racing.WINDOW_H
        self.camera = Camera(size, seen)
        self.indicators = Indicators(size) if indicators else None
        self.observation_space = gym.spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.action_repeat, self.patience = action_repeat, patience
        self.map: TrackMap | None = None
        self._before: TrackMap | None = None
        self._is_seen = True
        self._waited = 0
        self._colours = self._painted = np.zeros((0, 3))

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        # A new world: nothing of the tracks before can be left in it.
        self.world, self.road = b2World((0, 0)), None
        self._before, self.map = self.map or self._before, None
        first, info = super().reset(seed=seed, options=options)
        return first, info

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if action is None:  # as ``reset`` calls it
            self._waited = 0
            quicken(self.car)
            return self._one_frame(None)
        total = 0.0
        for frame in range(self.action_repeat):
            visited, self._is_seen = self.tile_visited_count, frame == self.action_repeat - 1
            seen, reward, terminated, truncated, info = self._one_frame(action)
            total += reward
            self._waited = 0 if self.tile_visited_count > visited else self._waited + 1
            truncated = truncated or (self.patience is not None and self._waited >= self.patience)
            if terminated or truncated:
                break
        if not self._is_seen:
            self._is_seen = True
            seen = self._frame()
        return seen, total, terminated, truncated, info

    def _one_frame(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, terminated, truncated, info = super().step(action)
        return seen, float(reward), terminated, truncated, info

    @override
    def _render(self, mode: str) -> Any:
        if mode != "state_pixels":
            return super()._render(mode)
        return self._frame() if self._is_seen else None

    def _frame(self) -> Any:
        """Return what the camera sees, ``(size, size, 3)`` uint8."""
        if self.map is None:
            self._share_colours()
            colours = self.bg_color, self.grass_color
            self.map = TrackMap(self.road_poly, *colours, dimming(self.camera.size), self._before)
        self._repaint(self.map)
        assert self.car is not None
        hull = self.car.hull
        x, y = hull.position
        zoom = FULL_ZOOM if self.t >= 1 else zoom_at(self.t)
        frame = self.camera.take(self.map, x, y, hull.angle, zoom)
        sprite_of(self.camera.size, zoom, self.car.wheels[0].joint.angle, self.camera.seen).draw(frame)
        if self.indicators is not None:
            self.indicators.draw(frame, self.reward, self.car)
        return frame

    def _share_colours(self) -> None:
        """Keep the tiles' colours, which Gymnasium changes where a tile is driven on, in the rows of one array."""
        assert self.road is not None
        self._colours = np.array([tile.color for tile in self.road], dtype=np.float64)
        self._painted = self._colours.copy()
        rows = {id(tile.color): row for tile, row in zip(self.road, self._colours, strict=True)}
        self.road_poly = [(vertices, rows.get(id(colour), colour)) for vertices, colour in self.road_poly]
        for tile, row in zip(self.road, self._colours, strict=True):
            tile.color = row

    def _repaint(self, ground: TrackMap) -> None:
        """Paint the tiles on the map that were driven on since the frame before."""
        changed = self._colours[:, 0] != self._painted[:, 0]
        if not np.count_nonzero(changed):  # several times as fast as ``any``
            return
        for place in np.flatnonzero(changed):
            assert self.road is not None
            corners = self.road[place].fixtures[0].shape.vertices
            ground.repaint(corners, self._painted[place], self._colours[place])
            self._painted[place] = self._colours[place]
