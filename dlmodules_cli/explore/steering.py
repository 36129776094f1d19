"""A dream of a world model that a person steers, without the page."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from callbacks.base.grids import Picture
from datamodules.environments.dreams import DreamVectorEnv
from dlmodules.errors import UserError
from dlmodules.protocols import Decodes, Dreams
from dlmodules_cli.explore.pictures import enlarged
from dlmodules_cli.explore.subject import Subject

LEFT, STAY, RIGHT, UP, DOWN = "←", "space", "→", "↑", "↓"
"""Names of actions, and of the keys that do them."""


@dataclass(frozen=True)
class SteeredDream:
    """A dream, and what was seen last of it.

    Args:
        env: the dream.
        seen: codes and what is remembered, ``(1, latent_dim + hidden_dim)``.
        steps: that were done.
        paid: sum of the rewards.
        over: whether it has ended; ``env`` has then begun another one.
    """

    env: DreamVectorEnv
    seen: Any
    steps: int = 0
    paid: float = 0.0
    over: bool = False


def can_dream(subject: Subject) -> bool:
    """Return whether the module dreams, and shows what it dreams."""
    return subject.latent_dim is not None and isinstance(subject.module, Dreams) and isinstance(subject.module, Decodes)


def actions_of(world: Dreams) -> dict[str, Any]:
    """Return the actions of a world that keys can do, by their names.

    Three numbered actions are to the left, none and to the right; of any other number each has its number. Of actions
    of several numbers, the first is steered to both sides, the second is pressed by ``UP`` and the third by ``DOWN``.
    """
    if world.discrete:
        names = [LEFT, STAY, RIGHT] if world.action_dim == 3 else [str(number) for number in range(world.action_dim)]
        return {name: np.int64(number) for number, name in enumerate(names)}
    low, high = world.limits().numpy()
    rest = np.clip(np.zeros_like(low), low, high)
    found = {STAY: rest}
    for name, place, ends in ((LEFT, 0, low), (RIGHT, 0, high), (UP, 1, high), (DOWN, 2, high)):
        if place < len(rest):
            found[name] = np.where(np.arange(len(rest)) == place, ends, rest)
    return found


def begin(subject: Subject, seed: int) -> SteeredDream:
    """Begin a dream; the same seed begins the same."""
    with subject.asked(seed):
        env = DreamVectorEnv(1, subject.module)
        return SteeredDream(env, env.reset(seed=seed)[0])


def go_on(subject: Subject, dream: SteeredDream, name: str, steps: int, temperature: float) -> SteeredDream:
    """Do an action of ``actions_of`` for some steps, or until the dream ends.

    Raises:
        UserError: the dream is over, or ``temperature`` is not above 0.
    """
    if dream.over:
        raise UserError("the dream is over: begin another one")
    if temperature <= 0:
        raise UserError(f"the temperature is {temperature}; it must be above 0")
    action = actions_of(subject.module)[name]
    dream.env.temperature = temperature
    for _ in range(steps):
        with subject.asked():
            seen, reward, terminated, truncated, info = dream.env.step(np.array([action]))
        over = bool(terminated[0] or truncated[0])
        last = np.asarray(info["final_obs"]) if over else seen
        dream = replace(dream, seen=last, steps=dream.steps + 1, paid=dream.paid + float(reward[0]), over=over)
        if over:
            break
    return dream


def dream_picture(subject: Subject, dream: SteeredDream) -> Picture:
    """Return the enlarged frame of the code that was seen last."""
    z = torch.from_numpy(dream.seen[:, : subject.latent_dim])
    with subject.asked():
        frame: Picture = enlarged(subject.module.decode(z).float().cpu())
    return frame


def dream_text(dream: SteeredDream) -> str:
    """Return how it goes, in words."""
    return f"step {dream.steps} · paid {dream.paid:g} · {'**over**' if dream.over else 'goes on'}"
