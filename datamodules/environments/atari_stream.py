"""The training environments of Atari games, which ale-py steps side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from ale_py import Action
from ale_py.vector_env import AtariVectorEnv
from gymnasium.vector import AutoresetMode
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn
from torch import Tensor

from datamodules.environments.atari import AtariSettings
from datamodules.environments.episodes import CountsEpisodes
from datamodules.environments.replay import episode_seed
from dlmodules.errors import UserError
from dlmodules.protocols import Transition

LONG = 5_000
"""Steps of all games together that take so long to play again that a line says so."""

NO_LIMIT = 2**30

UNSEEDED = -1
SEEDED_EVERY = 16
"""Episodes of a game between two seeds, where chance has no part but in how they begin: to set a seed loads the game
anew, which takes as long as 200 steps."""


class AtariStream(CountsEpisodes):
    """N games of one kind side by side.

    ale-py's ``AtariVectorEnv`` has no state that could be saved. It resets single games with a given seed, though, so
    that here, too, all of an episode follows from the seed of the run and its actions: a resumed run plays the running
    ones again and goes on exactly. The vector never resets by itself: its SAME_STEP mode hands out the last
    observations of all games in one array, and no seed can be given.

    Args:
        rom: what ale-py calls the game.
        settings: how it is played.
        seed: of the run.
        num_envs: N.
        window: how many finished episodes ``recent_returns`` and ``recent_lengths`` look back.
    """

    def __init__(self, rom: str, settings: AtariSettings, seed: int, num_envs: int, window: int = 100) -> None:
        super().__init__(num_envs, window)
        self.settings = settings
        self._max_steps = max(1, settings.max_num_frames_per_episode // settings.frameskip)
        self._seed = seed
        self.envs = AtariVectorEnv(
            rom,
            num_envs,
            autoreset_mode=AutoresetMode.NEXT_STEP,
            num_threads=settings.num_threads,
            max_num_frames_per_episode=NO_LIMIT,  # it counts steps, whatever its name, and here they are counted, too
            repeat_action_probability=settings.repeat_action_probability,
            full_action_space=settings.full_action_space,
            img_height=settings.screen_size,
            img_width=settings.screen_size,
            stack_num=settings.stack_num,
            frameskip=settings.frameskip,
            noop_max=max(settings.noop_max, 1),  # 1 means FIRE alone, or one frame
            reward_clipping=False,
            use_fire_reset=settings.press_fire,
        )
        actions = list(self.envs.ale.get_action_set())
        self._fire = actions.index(Action.FIRE) if settings.press_fire and Action.FIRE in actions else None
        self._seeded_every = 1 if settings.repeat_action_probability else SEEDED_EVERY
        self._begun = np.zeros(num_envs, dtype=np.int64)  # episodes of each game, the running one included
        self._actions: list[list[int]] = [[] for _ in range(num_envs)]
        self._lives = np.zeros(num_envs, dtype=np.int64)
        self._waits = np.zeros(num_envs, dtype=bool)  # for FIRE
        self._seen: Any = self._begin(np.ones(num_envs, dtype=bool))

    @property
    def observation(self) -> Tensor:
        """``(N, stack_num, screen_size, screen_size)`` uint8, already of the next episode where one ended."""
        return torch.from_numpy(self._seen)

    def step(self, action: Tensor, info: Mapping[str, Tensor] | None = None) -> Transition:
        """Do the actions ``(N,)``; those of the transition are what was done, FIRE where a game waited for it."""
        done = action.numpy().astype(np.int64)
        if self._fire is not None:
            done[self._waits] = self._fire
        for played, number in zip(self._actions, done.tolist(), strict=True):
            played.append(number)
        seen = self._seen
        self._seen, reward, terminated, lost = self._play(done)
        next_observation = self._seen
        self._count_step(reward)
        truncated = (self._lengths >= self._max_steps) & ~terminated
        ended = terminated | truncated
        if ended.any():
            self._finish_episodes(np.flatnonzero(ended))
            self._seen = self._begin(ended)
        if self.settings.episodic_life:
            terminated = terminated | lost
            truncated = truncated & ~lost
        learnt = np.sign(reward) if self.settings.clip_rewards else reward
        return Transition(
            observation=torch.from_numpy(seen),
            action=torch.from_numpy(done),
            reward=torch.from_numpy(learnt.astype(np.float32)),
            next_observation=torch.from_numpy(next_observation),
            terminated=torch.from_numpy(terminated),
            truncated=torch.from_numpy(truncated),
            info=info or {},
        )

    def _play(self, action: Any) -> tuple[Any, Any, Any, Any]:
        """Do a step and return observations, rewards, where a game is over, and where a life was lost."""
        observation, reward, terminated, _, info = self.envs.step(action)
        lost = info["lives"] < self._lives
        self._lives = info["lives"]
        self._waits = lost
        return observation, reward, terminated, lost

    def _begin(self, lanes: Any) -> Any:
        """Begin the next episode of these games ``(N,)`` bool, and return what all show now."""
        for lane in np.flatnonzero(lanes):
            self._actions[lane] = []
        self._begun += lanes
        return self._reset(lanes, self._begun - 1)

    def _reset(self, lanes: Any, episodes: Any) -> Any:
        """Reset these games ``(N,)`` bool to begin their episodes of these numbers ``(N,)``, each after the one before.

        Returns what all games show now.
        """
        seeds = [
            UNSEEDED if number % self._seeded_every else episode_seed("train", self._seed, lane, number)
            for lane, number in enumerate(episodes.tolist())
        ]
        observation, info = self.envs.reset(seed=np.array(seeds)[lanes], options={"reset_mask": lanes})
        self._lives = np.where(lanes, info["lives"], self._lives)
        self._waits = self._waits & ~lanes
        return observation

    def _reset_again(self, lanes: Any) -> Any:
        """Reset these games ``(N,)`` bool to where their running episodes began, whatever they did before."""
        since = (self._begun - 1) % self._seeded_every  # episodes since the last seed: each took a random number
        observation = None
        for number in range(int(since[lanes].max()) + 1):
            observation = self._reset(lanes & (since >= number), self._begun - 1 - since + number)
        return observation

    def state_dict(self) -> dict[str, Any]:
        """Return the numbers and actions of the running episodes, as plain values and tensors."""
        games = zip(self._begun.tolist(), self._actions, strict=True)
        return {
            "games": [
                {"episodes": begun, "actions": torch.tensor(played, dtype=torch.uint8)} for begun, played in games
            ],
            "observation": self.observation.clone(),
            **self._episodes_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Play the running episodes of ``state_dict`` again. Raises UserError for another number of environments."""
        lanes = len(state["lengths"])
        if "games" not in state or lanes != self.num_envs:
            raise UserError(
                f"the checkpoint's training environments are not {self.num_envs} games of ale-py's vector:"
                f" resume with num_envs={lanes} and the same vectorization"
            )
        games = state["games"]
        self._begun = np.array([game["episodes"] for game in games])
        self._actions = [game["actions"].tolist() for game in games]
        self._seen = self._play_again()
        if not np.array_equal(self._seen, state["observation"].numpy()):
            rank_zero_warn(
                "the games do not repeat themselves from the same seeds and actions, so this resumed run is not exactly"
                " the unbroken one (another version of ale-py, or other env_kwargs, do that)"
            )
        self._load_episodes(state)

    def _play_again(self) -> Any:
        """Play all episodes up to where they stand, so that they arrive there in the same step."""
        lengths = np.array([len(played) for played in self._actions])
        longest = int(lengths.max())
        if longest * self.num_envs > LONG:
            rank_zero_info(f"Plays the {self.num_envs} running games again, up to {longest} steps each.")
        begins = longest - lengths
        # Before its begin a game does anything, and begins anew where that is over.
        table = np.zeros((longest, self.num_envs), dtype=np.int64)
        for lane, played in enumerate(self._actions):
            table[begins[lane] :, lane] = played
        observation = None
        for step in range(longest + 1):
            if (now := begins == step).any():
                observation = self._reset_again(now)
            if step < longest:
                observation, *_ = self._play(table[step])
        return observation

    def close(self) -> None:
        """End the games."""
        self.envs.close()
