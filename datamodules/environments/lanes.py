"""The training environments as lanes for whole episodes, which end where they end."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from typing_extensions import override

from datamodules.environments.episodes import CountsEpisodes
from datamodules.environments.replay import episode_seed
from dlmodules.errors import UserError
from dlmodules.protocols import ActsInEpisodes, PlayedEpisodes

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.vector import VectorEnv


class EpisodeLanes(CountsEpisodes):
    """Base: N environments that play the episodes of given seeds, as many side by side as there are environments.

    Between two calls of ``play`` no episode is running, so all that a resumed run needs are counts.

    Args:
        seed: of the run.
        num_envs: N.
        window: how many finished episodes ``recent_returns`` and ``recent_lengths`` look back.
    """

    def __init__(self, seed: int, num_envs: int, window: int = 100) -> None:
        super().__init__(num_envs, window)
        self._seed = seed
        self._drawn = 0

    def next_seeds(self, n: int) -> list[int]:
        """Return the seeds of ``n`` further episodes, none of which were given before."""
        first, self._drawn = self._drawn, self._drawn + n
        return [episode_seed("train", self._seed, number) for number in range(first, self._drawn)]

    def play(self, act: ActsInEpisodes, seeds: Sequence[int], max_steps: int | None = None) -> PlayedEpisodes:
        """Play one episode for each seed.

        Args:
            act: maps observations ``(K, ...)`` and the numbers ``(K,)`` of the episodes that they are of to actions
                ``(K, ...)`` on the CPU. It sees the running episodes alone, and the same tensor of numbers as before
                while these are the same.
            seeds: of each episode; they may be equal.
            max_steps: stop when so many steps are done, over all episodes; None plays all to the end.

        Raises:
            UserError: an episode pays what is not a finite number.
        """
        played = PlayedEpisodes(np.zeros(len(seeds)), np.zeros(len(seeds), np.int64), np.zeros(len(seeds), bool))
        self._play(act, seeds, np.inf if max_steps is None else max_steps, played)
        if not np.isfinite(played.returns).all():
            bad = played.returns[~np.isfinite(played.returns)][0]
            raise UserError(f"an episode has a return of {bad}: the environment pays what is not a finite number")
        return played

    def _play(self, act: ActsInEpisodes, seeds: Sequence[int], left: float, played: PlayedEpisodes) -> None:
        raise NotImplementedError

    def _finish(self, played: PlayedEpisodes, episode: int) -> None:
        played.ended[episode] = True
        self.episodes += 1
        self.recent_returns.append(float(played.returns[episode]))
        self.recent_lengths.append(int(played.lengths[episode]))

    def state_dict(self) -> dict[str, Any]:
        """Return the counts as plain values and tensors."""
        return {"seeds": self._drawn, **self._episodes_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was taken. Raises UserError for the state of environments stepped otherwise."""
        if "seeds" not in state:
            raise UserError("the checkpoint's training environments were not those of whole episodes")
        self._drawn = state["seeds"]
        self._load_episodes({**state, "returns": torch.zeros(self.num_envs), "lengths": torch.zeros(self.num_envs)})

    def close(self) -> None:
        """End the environments."""
        raise NotImplementedError


class RefilledLanes(EpisodeLanes):
    """Base: a lane whose episode has ended begins the next one at once; without one left to play it is not stepped.

    Args:
        space: of the observations.
        num_envs: N.
        seed: of the run.
    """

    def __init__(self, space: Any, num_envs: int, seed: int) -> None:
        super().__init__(seed, num_envs)
        self._seen = np.zeros((num_envs, *space.shape), space.dtype)

    @override
    def _play(self, act: ActsInEpisodes, seeds: Sequence[int], left: float, played: PlayedEpisodes) -> None:
        waiting = iter(range(len(seeds)))
        running = list(enumerate(islice(waiting, self.num_envs)))  # pairs of lane and episode
        self._begin([(lane, seeds[episode]) for lane, episode in running])
        lanes, episodes = _columns(running)
        while running and left > 0:
            if len(running) > left:  # the last steps of the budget
                running = running[: int(left)]
                lanes, episodes = _columns(running)
            actions = act(torch.from_numpy(self._seen[lanes]), episodes).numpy()
            rewards, ended = self._step(lanes, actions)
            played.returns[episodes.numpy()] += rewards
            played.lengths[episodes.numpy()] += 1
            left -= len(running)
            if any(ended):
                running = self._refilled(running, ended, waiting, seeds, played)
                lanes, episodes = _columns(running)

    def _refilled(
        self,
        running: list[tuple[int, int]],
        ended: Sequence[bool],
        waiting: Iterator[int],
        seeds: Sequence[int],
        played: PlayedEpisodes,
    ) -> list[tuple[int, int]]:
        """Return what runs on, with the next episodes in the place of those that have ended."""
        still, begun = [], []
        for (lane, episode), over in zip(running, ended, strict=True):
            if not over:
                still.append((lane, episode))
                continue
            self._finish(played, episode)
            following = next(waiting, None)
            if following is not None:
                still.append((lane, following))
                begun.append((lane, seeds[following]))
        self._begin(begun)
        return still

    def _begin(self, begun: Sequence[tuple[int, int]]) -> None:
        """Begin an episode in each of some lanes, given with its seed, and see it in ``_seen``."""
        raise NotImplementedError

    def _step(self, lanes: Any, actions: Any) -> tuple[list[float], list[bool]]:
        """Do the actions in the lanes; return what each pays and whether it has ended, and see them in ``_seen``."""
        raise NotImplementedError


class SteppedLanes(RefilledLanes):
    """Environments of this process, stepped in turn.

    Args:
        envs: Gymnasium environments.
        seed: of the run.
    """

    def __init__(self, envs: "Sequence[Env[Any, Any]]", seed: int) -> None:
        super().__init__(envs[0].observation_space, len(envs), seed)
        self.envs = envs

    @override
    def _begin(self, begun: Sequence[tuple[int, int]]) -> None:
        for lane, seed in begun:
            self._seen[lane], _ = self.envs[lane].reset(seed=seed)

    @override
    def _step(self, lanes: Any, actions: Any) -> tuple[list[float], list[bool]]:
        rewards, ended = [], []
        for lane, action in zip(lanes.tolist(), actions, strict=True):
            self._seen[lane], reward, terminated, truncated, _ = self.envs[lane].step(action)
            rewards.append(float(reward))
            ended.append(bool(terminated or truncated))
        return rewards, ended

    @override
    def close(self) -> None:
        for env in self.envs:
            env.close()


class VectorLanes(EpisodeLanes):
    """Environments that are stepped together, such as those with a process each, in rounds.

    One that has ended its episode is stepped on and not looked at.

    Args:
        envs: a vector of environments that copies what it returns, in autoreset mode SAME_STEP.
        seed: of the run.
    """

    def __init__(self, envs: "VectorEnv[Any, Any, Any]", seed: int) -> None:
        super().__init__(seed, envs.num_envs)
        self.envs = envs
        self._actions = np.zeros(envs.action_space.shape or (), envs.action_space.dtype)

    @override
    def _play(self, act: ActsInEpisodes, seeds: Sequence[int], left: float, played: PlayedEpisodes) -> None:
        for first in range(0, len(seeds), self.num_envs):
            if left <= 0:
                break
            number = min(self.num_envs, len(seeds) - first)
            padded: Any = [*seeds[first : first + number], *[seeds[first]] * (self.num_envs - number)]
            seen, _ = self.envs.reset(seed=padded)
            lanes = np.arange(number)
            episodes = torch.from_numpy(first + lanes)
            while len(lanes) and left > 0:
                if len(lanes) > left:
                    lanes, episodes = lanes[: int(left)], episodes[: int(left)]
                self._actions[lanes] = act(torch.from_numpy(seen[lanes]), episodes).numpy()
                seen, rewards, terminated, truncated, _ = self.envs.step(self._actions)
                played.returns[first + lanes] += rewards[lanes]
                played.lengths[first + lanes] += 1
                left -= len(lanes)
                ended = (terminated | truncated)[lanes]
                if ended.any():
                    for episode in (first + lanes[ended]).tolist():
                        self._finish(played, episode)
                    lanes = lanes[~ended]
                    episodes = torch.from_numpy(first + lanes)

    @override
    def close(self) -> None:
        self.envs.close()


def make_lanes(
    make: "Callable[[], Env[Any, Any]]",
    seed: int,
    num_envs: int,
    vectorization: Literal["sync", "async"],
    num_workers: int = 0,
) -> EpisodeLanes:
    """Return ``num_envs`` environments of ``make`` as lanes for whole episodes.

    With ``num_workers`` so many processes share those that are stepped in turn.
    """
    if num_workers > 0 and vectorization == "sync":
        from datamodules.environments.worker_lanes import WorkerLanes

        return WorkerLanes(make, seed, num_envs, num_workers)
    if vectorization == "sync":
        return SteppedLanes([make() for _ in range(num_envs)], seed)
    from gymnasium.vector import AsyncVectorEnv, AutoresetMode

    return VectorLanes(AsyncVectorEnv([make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP), seed)


def _columns(running: Sequence[tuple[int, int]]) -> "tuple[Any, torch.Tensor]":
    lanes, episodes = np.array(running, dtype=np.int64).reshape(-1, 2).T
    return lanes, torch.from_numpy(episodes.copy())
