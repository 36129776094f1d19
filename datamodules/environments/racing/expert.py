"""A driver who knows the whole track: it laps CarRacing by the state of the environment, and not by its frames."""

import math
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols.driving_keys import KEYS, actions_of, keys_of

MARGIN = 1.5
"""Metres that the line leaves the middle of the road by, whose half width is 6.7: every tile must be touched."""
SWEEPS = 200
"""Times that the line is pulled straight."""

GRIP, CALM_GRIP, GRIP_BY_KEYS = 160.0, 100.0, 80.0
"""Metres a second squared that the car is pushed sideways by in a bend."""
BRAKING, CALM_BRAKING = 60.0, 40.0
"""Metres a second squared by which it slows down before one."""
STARTED = 15.0  # metres a second; a driver by keys does nothing but start before
TOP_SPEED, CALM_TOP_SPEED = 100.0, 80.0  # metres a second

LOOK_LEAST, LOOK_SECONDS = 2.6, 0.26
"""Metres, and seconds at the car's speed, to the place ahead that it steers to."""
STEERING = 2.0  # of the wheel for a radian between the car's direction and that place
THROTTLE, PEDAL = 0.15, 0.1  # of gas and of brake for a metre a second too slow or too fast
REACH = np.arange(-3, 12)
"""Places of the line where the car may be a frame later, from where it was: the road comes near itself elsewhere."""
FIRMEST = 0.8  # brake: from 0.9 on the wheels lock


class RacingExpert:
    """Drives a lap of CarRacing on a line of its own, as fast as the tyres hold.

    The line is the middle of the road, pulled straight like a rubber band that may leave the middle by ``MARGIN``. In a
    bend of curvature k the tyres hold up to the speed sqrt(GRIP / k); going backwards along the line, each place may
    have as much more speed as is braked away by the next. The car steers to a place on the line some way ahead (pure
    pursuit), and gives gas or brakes by what its speed lacks there; the further the wheel is turned, the less
    gas, as tyres that push forward hold less sideways.

    Paper: Coulter 1992, Implementation of the Pure Pursuit Path Tracking Algorithm, CMU-RI-TR-92-01.

    Args:
        env: a ``CarRacing`` of Gymnasium or of this package, perhaps in wrappers, with continuous actions.

    Raises:
        UserError: it is another environment.
    """

    grip, braking, top_speed = GRIP, BRAKING, TOP_SPEED

    def __init__(self, env: Any) -> None:
        inner = env.unwrapped
        if not hasattr(inner, "fd_tile") or not inner.continuous:
            raise UserError(
                f"policy expert drives CarRacing with continuous actions, and this is {env}: choose another policy"
            )
        self.env = inner
        self._track: Any = None
        self._place = 0

    def act(self) -> Any:
        """Return steering in [-1, 1], gas and brake in [0, 1], ``(3,)`` float32, for where the car is now."""
        if self._track is not self.env.track:
            self._track, self._place = self.env.track, 0
            self.line, self.spacing = racing_line(self._track)
            self.speed = speeds(self.line, self.spacing, self.grip, self.braking, self.top_speed)
        hull = self.env.car.hull
        place, speed = np.array(hull.position), hull.linearVelocity.length
        near = (self._place + REACH) % len(self.line)
        self._place = nearest = int(near[np.square(self.line[near] - place).sum(axis=1).argmin()])
        ahead, left = nearest, LOOK_LEAST + LOOK_SECONDS * speed
        while left > 0:
            left -= self.spacing[ahead]
            ahead = (ahead + 1) % len(self.line)
        way = self.line[ahead] - place
        forward, right = hull.GetWorldVector((0, 1)), hull.GetWorldVector((1, 0))
        angle = math.atan2(way @ np.array(right), way @ np.array(forward))
        steering = min(max(STEERING * angle, -1.0), 1.0)
        missing = self.speed[(nearest + 1) % len(self.line)] - speed
        gas = min(max(THROTTLE * missing, 0.0), 1.0) * (1 - abs(steering))
        brake = min(max(-PEDAL * missing, 0.0), FIRMEST)
        return np.array([steering, gas, brake], dtype=np.float32)


class CalmExpert(RacingExpert):
    """Drives as ``RacingExpert`` does, but slower than it could: most laps end in time, and it is easier to follow."""

    grip, braking, top_speed = CALM_GRIP, CALM_BRAKING, CALM_TOP_SPEED


class KeysExpert(RacingExpert):
    """Drives as ``RacingExpert`` does, by the keys of ``dlmodules.protocols.driving_keys``, and so more slowly."""

    grip, braking = GRIP_BY_KEYS, CALM_BRAKING

    @override
    def act(self) -> Any:
        """Return the action ``(3,)`` float32 of one of the sets of keys."""
        wanted = super().act()
        if self.env.car.hull.linearVelocity.length < STARTED:
            return np.array(KEYS[1], dtype=np.float32)
        return actions_of(keys_of(torch.from_numpy(wanted)[None]))[0].numpy()


EXPERTS: dict[str, type[RacingExpert]] = {"wheel": RacingExpert, "calm": CalmExpert, "keys": KeysExpert}
"""Who may sit beside a driver, or drive alone."""


def racing_line(track: Any) -> tuple[Any, Any]:
    """Return the line ``(N, 2)`` of a track, in metres, and the distances ``(N,)`` from each of its places to the next.

    Args:
        track: of CarRacing, N tuples of its angle about the origin, its direction in radians, x and y.
    """
    _, direction, x, y = np.array(track).T
    middle, across = np.stack([x, y], axis=1), np.stack([np.cos(direction), np.sin(direction)], axis=1)
    line = middle
    for _ in range(SWEEPS):
        between = (np.roll(line, 1, axis=0) + np.roll(line, -1, axis=0)) / 2
        aside = ((between - middle) * across).sum(axis=1).clip(-MARGIN, MARGIN)
        line = middle + aside[:, None] * across
    return line, np.linalg.norm(np.roll(line, -1, axis=0) - line, axis=1)


def speeds(line: Any, spacing: Any, grip: float = GRIP, braking: float = BRAKING, top_speed: float = TOP_SPEED) -> Any:
    """Return the highest speed ``(N,)`` at each place of a line, in metres a second."""
    before, after = line - np.roll(line, 1, axis=0), np.roll(line, -1, axis=0) - line
    turn = np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))
    bend = np.abs(turn) / ((spacing + np.roll(spacing, 1)) / 2)
    bend = (np.roll(bend, 1) + bend + np.roll(bend, -1)) / 3
    squares = np.minimum(grip / np.maximum(bend, 1e-6), top_speed**2)
    # Twice around, as the track has no beginning.
    for place in list(reversed(range(len(line)))) * 2:
        squares[place] = min(squares[place], squares[(place + 1) % len(line)] + 2 * braking * spacing[place])
    return np.sqrt(squares)
