"""The forces on CarRacing's wheels, as Gymnasium computes them, in Python's numbers in place of NumPy's."""

from math import sqrt
from types import MethodType
from typing import Any

from gymnasium.envs.box2d.car_dynamics import ENGINE_POWER, FRICTION_LIMIT, SIZE, WHEEL_MOMENT_OF_INERTIA

BRAKE_FORCE = 15.0  # radians a second
STIFFNESS = 205000 * SIZE * SIZE
LONGEST_TRACE = 30


def quicken(car: Any) -> None:
    """Let a ``Car`` of Gymnasium's step and accelerate by the functions of this module: bitwise the same, faster."""
    car.step, car.gas = MethodType(step, car), MethodType(gas, car)


def gas(car: Any, amount: float) -> None:
    """Give gas, between 0 and 1, to the rear wheels: it comes slowly, and stops at once."""
    wanted = min(max(float(amount), 0.0), 1.0)
    for wheel in car.wheels[2:4]:
        wheel.gas += min(wanted - wheel.gas, 0.1)


def step(car: Any, dt: float) -> None:
    """Turn, drive and brake the wheels for ``dt`` seconds, and let the ground act on them.

    The order of all operations is Gymnasium's, which the last bit of a reward depends on.
    """
    for wheel in car.wheels:
        away = float(wheel.steer) - wheel.joint.angle
        wheel.joint.motorSpeed = _sign(away) * min(50.0 * abs(away), 3.0)
        limit = FRICTION_LIMIT * 0.6
        for tile in wheel.tiles:
            limit = max(limit, FRICTION_LIMIT * tile.road_friction)
        forward_x, forward_y = wheel.GetWorldVector((0, 1))
        side_x, side_y = forward_y, -forward_x
        velocity_x, velocity_y = wheel.linearVelocity
        along = forward_x * velocity_x + forward_y * velocity_y
        across = side_x * velocity_x + side_y * velocity_y
        omega = float(wheel.omega)
        omega += dt * ENGINE_POWER * wheel.gas / WHEEL_MOMENT_OF_INERTIA / (abs(omega) + 5.0)
        car.fuel_spent += dt * ENGINE_POWER * wheel.gas
        brake = float(wheel.brake)
        if brake >= 0.9:
            omega = 0.0
        elif brake > 0:
            omega += -_sign(omega) * min(BRAKE_FORCE * brake, abs(omega))
        wheel.phase += omega * dt
        f = (-along + omega * wheel.wheel_rad) * STIFFNESS
        p = -across * STIFFNESS
        force = sqrt(f * f + p * p)
        _trace(car, wheel, not wheel.tiles, skids=force > 2.0 * limit)
        if force > limit:
            f, p = f / force * limit, p / force * limit
        wheel.omega = omega - dt * f * wheel.wheel_rad / WHEEL_MOMENT_OF_INERTIA
        wheel.ApplyForceToCenter((p * side_x + f * forward_x, p * side_y + f * forward_y), True)


def _sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0


def _trace(car: Any, wheel: Any, grass: bool, skids: bool) -> None:
    """Keep where a wheel skids, for films."""
    if not skids:
        wheel.skid_start = wheel.skid_particle = None
        return
    trace = wheel.skid_particle
    if trace and trace.grass == grass and len(trace.poly) < LONGEST_TRACE:
        trace.poly.append((wheel.position[0], wheel.position[1]))
    elif wheel.skid_start is None:
        wheel.skid_start = wheel.position
    else:
        wheel.skid_particle = car._create_particle(wheel.skid_start, wheel.position, grass)
        wheel.skid_start = None
