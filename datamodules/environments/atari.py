"""Atari games with the preprocessing of Mnih et al. 2015, one at a time: to play held-out episodes in, and to film."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import gymnasium as gym
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation
from typing_extensions import override

from datamodules.environments.making import make_env, register_ale
from dlmodules.errors import UserError, install_command
from dlmodules.validation.arguments import check_fractions, require_at_least

FRAMES_PER_SECOND = 60


@dataclass(frozen=True)
class AtariSettings:
    """How the games are played: ``env_kwargs`` of ``EnvironmentDataModule`` with ``vectorization: atari``.

    A step is ``frameskip`` frames with the same action, of which the last two are merged, so that nothing flickers.

    Args:
        frameskip: frames of a step.
        stack_num: steps that an observation shows, the latest last; before the first they are black.
        screen_size: pixels of a side, in greys from 0 to 255.
        noop_max: an episode begins with up to so many frames in which nothing is done.
        repeat_action_probability: of each frame, to do the action before again ("sticky actions"): 0, or 0.25 as
            Machado et al. 2018 recommend.
        full_action_space: offer all 18 actions; False offers those that do something in this game.
        press_fire: where a game has such an action, press it when an episode begins and after a lost life, whatever was
            chosen: many games wait for it. Transitions have the action that was done. An agent that learns from the
            probabilities of its own actions needs False.
        max_num_frames_per_episode: after so many an episode is truncated.
        episodic_life: in training, a lost life is terminal for what is learnt. The episode goes on, and its return is
            counted to its end.
        clip_rewards: in training, learn from the sign of a reward. Returns are counted of the true rewards.
        num_threads: of the training environments; 0 takes one for each core.
    """

    frameskip: int = 4
    stack_num: int = 4
    screen_size: int = 84
    noop_max: int = 30
    repeat_action_probability: float = 0.0
    full_action_space: bool = False
    press_fire: bool = True
    max_num_frames_per_episode: int = 108_000
    episodic_life: bool = False
    clip_rewards: bool = True
    num_threads: int = 0

    def __post_init__(self) -> None:
        require_at_least(1, frameskip=self.frameskip, stack_num=self.stack_num, screen_size=self.screen_size)
        require_at_least(1, max_num_frames_per_episode=self.max_num_frames_per_episode)
        require_at_least(0, noop_max=self.noop_max, num_threads=self.num_threads)
        check_fractions(repeat_action_probability=self.repeat_action_probability)

    @classmethod
    def of(cls, env_kwargs: Mapping[str, Any]) -> "AtariSettings":
        """Return the settings that ``env_kwargs`` gives. Raises UserError for one that there is not."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(env_kwargs) - set(known))
        if unknown:
            raise UserError(
                f"vectorization: atari takes no env_kwargs {', '.join(unknown)}; it takes: {', '.join(known)}"
            )
        return cls(**env_kwargs)


def rom_of(env_id: str) -> str:
    """Return what ale-py calls a game. Raises UserError where there is no such game, or ale-py is missing."""
    register_ale(env_id)
    spec = gym.registry.get(env_id)
    if spec is None:
        make_env(env_id, {}, ()).close()  # which says what there is, or registers it
        spec = gym.spec(env_id)
    game = spec.kwargs.get("game")
    if not isinstance(game, str):
        raise UserError(f"vectorization: atari plays games of ale-py such as ALE/Breakout-v5, not {env_id}")
    return game


def fire_action(env: "gym.Env[Any, Any]") -> int | None:
    """Return the number of the action FIRE; None where a game has none."""
    meanings: list[str] = env.unwrapped.get_action_meanings()  # type: ignore[attr-defined]  # of ale-py's
    return meanings.index("FIRE") if "FIRE" in meanings else None


def make_atari_env(env_id: str, settings: AtariSettings, render_mode: str | None = None) -> "gym.Env[Any, Any]":
    """Return one game whose observations ``(stack_num, screen_size, screen_size)`` uint8 are those of ``AtariStream``.

    Rewards are the true ones, and a lost life ends nothing. Pictures are those of the game, in colour.

    Raises:
        UserError: there is no such game, or a package is missing.
    """
    kwargs = {
        "frameskip": 1,
        "repeat_action_probability": settings.repeat_action_probability,
        "full_action_space": settings.full_action_space,
        "max_num_frames_per_episode": settings.max_num_frames_per_episode,
    }
    rom_of(env_id)
    env = make_env(env_id, kwargs, (), render_mode)
    fire = fire_action(env) if settings.press_fire else None
    env = _Start(env, settings.noop_max, fire)
    try:
        env = AtariPreprocessing(env, noop_max=0, frame_skip=settings.frameskip, screen_size=settings.screen_size)
    except gym.error.DependencyNotInstalled as error:
        env.close()
        raise UserError(f"vectorization: atari needs opencv: {install_command('atari')}") from error
    if fire is not None:
        env = _FireAfterLoss(env, fire)
    env = FrameStackObservation(env, settings.stack_num, padding_type="zero")
    env.metadata = {**env.metadata, "render_fps": FRAMES_PER_SECOND / settings.frameskip}
    return env


class _Start(gym.Wrapper[Any, Any, Any, Any]):
    """An episode begins with a random number of frames in which nothing is done, and with FIRE."""

    def __init__(self, env: "gym.Env[Any, Any]", noop_max: int, fire: int | None) -> None:
        super().__init__(env)
        self._noop_max = noop_max
        self._fire = fire

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        # From 1 to ``noop_max`` frames where FIRE is among them, as AtariVectorEnv counts them.
        count = int(self.unwrapped.np_random.integers(max(self._noop_max, 1)))
        for action in [0] * count + ([] if self._fire is None else [self._fire]):
            observation, _, terminated, truncated, info = self.env.step(action)
            if terminated or truncated:
                observation, info = self.env.reset(options=options)
        return observation, info


class _FireAfterLoss(gym.Wrapper[Any, Any, Any, Any]):
    """The step after one in which a life was lost is FIRE, whatever was chosen."""

    def __init__(self, env: "gym.Env[Any, Any]", fire: int) -> None:
        super().__init__(env)
        self._fire = fire
        self._lives = 0
        self._waits = False

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._lives, self._waits = info["lives"], False
        return observation, info

    @override
    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(self._fire if self._waits else action)
        self._waits = info["lives"] < self._lives
        self._lives = info["lives"]
        return observation, reward, terminated, truncated, info
