"""Gymnasium environments for agents: to train in, to validate on and to test on, with disjoint seeds."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.iterations import iteration_loader
from datamodules.base.tryable import Tryable
from datamodules.environments.making import Wrapper, make_env, portable_wrapper
from dlmodules.errors import UserError
from dlmodules.training.ranks import own_state, states_to_keep
from dlmodules.validation.arguments import require_at_least

if TYPE_CHECKING:
    import gymnasium as gym
    from torch.utils.data import DataLoader

    from datamodules.environments.atari_stream import AtariStream
    from datamodules.environments.lanes import EpisodeLanes
    from datamodules.environments.stream import EnvironmentStream
    from datamodules.environments.table_stream import TableStream
    from dlmodules.protocols import Dynamics

    Stream = EnvironmentStream | TableStream | AtariStream | EpisodeLanes

# Held-out episodes are played so many at a time; it changes their speed only.
PARALLEL_EPISODES = 16


class EnvironmentDataModule(Tryable, LightningDataModule):
    """A Gymnasium environment as the data of an agent.

    An agent steps ``train_envs`` and plays held-out episodes in ``evaluation_envs``. The train loader
    yields the numbers of an epoch's iterations; the validation and test loaders yield the seeds of the
    episodes to play. Training, validation and test seeds come from disjoint ranges. The state of the
    training environments, down to the step inside an episode, is in every checkpoint.

    Args:
        env_id: Gymnasium id such as ``CartPole-v1``; ``module:id`` imports a module that registers it.
        num_envs: environments stepped side by side in training, at least 1.
        total_steps: training ends after so many environment steps, counted over all environments.
        steps_per_epoch: environment steps between two validations; an agent that plays whole episodes counts its
            iterations instead.
        eval_episodes: episodes played in a validation.
        test_episodes: episodes played in a test.
        seed: of all environments; equal seeds give equal episodes for equal actions.
        env_kwargs: further arguments of ``gymnasium.make``, ``max_episode_steps`` among them.
        train_env_id: of the environments to train in, where these are others, such as dreams; they have the actions of
            ``env_id``. None trains in ``env_id``.
        train_env_kwargs: arguments that the training environments alone have, such as a time after which a hopeless
            episode ends; with ``train_env_id`` they have no others.
        wrappers: applied to each environment, the first innermost: import paths, ``class_path`` with
            ``init_args``, or functions of an environment.
        vectorization: ``sync`` steps the environments in turn, best for light ones; ``async`` gives each
            its own process, best where a step takes over about 0.2 ms; ``table`` draws all steps at once from the
            environment's table of transitions ``P``, where it has one, and is the fastest by far; ``atari`` plays games
            of ale-py such as ``ALE/Breakout-v5`` with the usual preprocessing, whose settings are then ``env_kwargs``
            (see ``datamodules.environments.atari.AtariSettings``); ``batched`` takes the environment's own vector form,
            such as that of dreams, for agents that play whole episodes.
        num_workers: processes that share the training environments among them, for agents that play whole episodes; 0
            steps them in this one. Their number changes nothing but the time.
        exploring_starts: with ``table``: begin training episodes in every state that is not terminal alike.

    Raises:
        UserError: an environment cannot be made, or a number is too small.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "total_steps": 100_000,
        "steps_per_epoch": 512,
        "eval_episodes": 2,
        "test_episodes": 2,
    }

    def __init__(
        self,
        env_id: str = "CartPole-v1",
        num_envs: int = 8,
        total_steps: int = 50_000,
        steps_per_epoch: int = 5_000,
        eval_episodes: int = 10,
        test_episodes: int = 100,
        seed: int = 0,
        env_kwargs: dict[str, Any] | None = None,
        wrappers: Sequence[Wrapper] = (),
        vectorization: Literal["sync", "async", "table", "atari", "batched"] = "sync",
        exploring_starts: bool = False,
        train_env_id: str | None = None,
        train_env_kwargs: dict[str, Any] | None = None,
        num_workers: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self._make_wrappers_portable()
        require_at_least(1, num_envs=num_envs, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        require_at_least(1, eval_episodes=eval_episodes, test_episodes=test_episodes)
        require_at_least(0, seed=seed, num_workers=num_workers)
        self.env_id = env_id
        self.num_envs = num_envs
        self.total_steps = total_steps
        self.steps_per_epoch = steps_per_epoch
        self.episodes = {"val": eval_episodes, "test": test_episodes}
        self.seed = seed
        self.env_kwargs = env_kwargs or {}
        shared = self.env_kwargs if train_env_id is None else {}
        self.train_env_id, self.train_env_kwargs = train_env_id or env_id, {**shared, **(train_env_kwargs or {})}
        self.wrappers = list(wrappers)
        if exploring_starts and vectorization != "table":
            raise UserError("exploring_starts needs vectorization: table, which can begin in any state")
        if self.wrappers and vectorization == "atari":
            raise UserError("vectorization: atari takes no wrappers: its env_kwargs say how frames are preprocessed")
        if (train_env_id or train_env_kwargs) and vectorization not in ("sync", "async", "batched"):
            raise UserError(
                f"training environments of their own need vectorization: sync or async, not {vectorization}"
            )
        if num_workers > 0 and vectorization != "sync":
            raise UserError(f"num_workers shares out what vectorization: sync steps, and not {vectorization}")
        self.vectorization, self.num_workers = vectorization, num_workers
        self.exploring_starts = exploring_starts
        self._facts: tuple[gym.Space[Any], gym.Space[Any], int] | None = None
        self._dynamics: Dynamics | None = None
        self._train: Stream | None = None
        self._train_state: dict[str, Any] | None = None
        self._evaluation: dict[str, list[gym.Env[Any, Any]]] = {}

    def _make_wrappers_portable(self) -> None:
        """Keep in the hyperparameters, hence in checkpoints, what can be rebuilt without pickling."""
        wrappers = [portable_wrapper(wrapper) for wrapper in self.hparams["wrappers"]]
        if None in wrappers:
            warnings.warn(
                "a wrapper without an import path is not saved in checkpoints: give a function of a module",
                stacklevel=3,
            )
        self.hparams["wrappers"] = [wrapper for wrapper in wrappers if wrapper is not None]

    def make_env(self, render_mode: str | None = None) -> "gym.Env[Any, Any]":
        """Return a new environment with all wrappers, to be seeded and closed by the caller.

        Args:
            render_mode: ``rgb_array`` for pictures; None draws nothing.
        """
        if self.vectorization == "atari":
            from datamodules.environments.atari import AtariSettings, make_atari_env

            return make_atari_env(self.env_id, AtariSettings.of(self.env_kwargs), render_mode)
        return make_env(self.env_id, self.env_kwargs, self.wrappers, render_mode)

    @property
    def observation_space(self) -> "gym.Space[Any]":
        """The space of one environment's observations, after the wrappers."""
        return self._get_facts()[0]

    @property
    def action_space(self) -> "gym.Space[Any]":
        """The space of one environment's actions, after the wrappers."""
        return self._get_facts()[1]

    @property
    def stacked_frames(self) -> int:
        """How many frames, oldest first, ``FrameStackObservation`` stacks in an observation; 1 without it."""
        return self._get_facts()[2]

    def _get_facts(self) -> "tuple[gym.Space[Any], gym.Space[Any], int]":
        if self._facts is None:
            from datamodules.environments.spaces import count_stacked_frames

            env = self.make_env()
            self._facts = env.observation_space, env.action_space, count_stacked_frames(env)
            env.close()
        return self._facts

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of one observation. Raises UserError where observations are no arrays of numbers."""
        from datamodules.environments.spaces import box_shape

        return box_shape(self.env_id, self.observation_space)

    @property
    def observation_dim(self) -> int:
        """How many numbers an observation has."""
        return prod(self.observation_shape)

    @property
    def num_actions(self) -> int:
        """How many actions there are, numbered from 0. Raises UserError where they are not discrete."""
        from datamodules.environments.spaces import count_actions

        return count_actions(self.env_id, self.action_space)

    @property
    def action_dim(self) -> int:
        """How many numbers an action has. Raises UserError unless actions are ``Box`` with finite bounds."""
        from datamodules.environments.spaces import count_action_numbers

        return count_action_numbers(self.env_id, self.action_space)

    @property
    def num_states(self) -> int:
        """How many observations there are, numbered from 0. Raises UserError where they are not discrete."""
        from datamodules.environments.spaces import count_states

        return count_states(self.env_id, self.observation_space)

    @property
    def transitions(self) -> "Dynamics":
        """All that can happen, by the environment's table ``P``. Raises UserError where it has none."""
        if self._dynamics is None:
            from datamodules.environments.dynamics import dynamics_of

            _ = self.num_states, self.num_actions
            env = self.make_env()
            self._dynamics = dynamics_of(self.env_id, env)
            env.close()
        return self._dynamics

    @override
    def setup(self, stage: str) -> None:
        """Make the first environment, so that mistakes show before anything is trained."""
        self._get_facts()
        if stage == "fit":  # a new run; when it resumes one, load_state_dict comes next
            self._close_train()
            self._train_state = None

    @property
    def train_envs(self) -> "Stream":
        """The training environments, made at first use. Raises UserError unless their spaces are arrays of numbers."""
        if self._train is None:
            from datamodules.environments.spaces import require_arrays

            require_arrays(self.env_id, self.observation_space, self.action_space)
            self._train = self._make_stream()
            if self._train_state is not None:
                self._train.load_state_dict(self._train_state)
        return self._train

    def _make_stream(self) -> "Stream":
        if getattr(self._agent, "plays_whole_episodes", False):
            return self._make_lanes()
        if self.num_workers > 0:
            raise UserError(
                f"num_workers is for agents that play whole episodes, and {type(self._agent).__name__} does not: set"
                " vectorization: async, which gives each environment a process"
            )
        from datamodules.environments.replay import episode_seed

        rank = self.trainer.global_rank if self.trainer else 0
        seed = episode_seed("train", self.seed, rank) if rank > 0 else self.seed  # other processes, other episodes
        if self.vectorization == "table":
            from datamodules.environments.table_stream import TableStream

            return TableStream(self.transitions, seed, self.num_envs, self.exploring_starts)
        if self.vectorization == "atari":
            from datamodules.environments.atari import AtariSettings, rom_of
            from datamodules.environments.atari_stream import AtariStream

            return AtariStream(rom_of(self.env_id), AtariSettings.of(self.env_kwargs), seed, self.num_envs)
        if self.vectorization == "batched":
            name = type(self._agent).__name__
            raise UserError(
                f"vectorization: batched is for agents that play whole episodes, and {name} does not: set sync"
            )
        from datamodules.environments.stream import make_stream

        make = partial(make_env, self.train_env_id, self.train_env_kwargs, self.wrappers)
        return make_stream(make, seed, self.num_envs, self.vectorization)

    def _make_lanes(self) -> "EpisodeLanes":
        from datamodules.environments.lanes import make_lanes

        if self.vectorization == "batched":
            from datamodules.environments.lanes import VectorLanes
            from datamodules.environments.making import make_vector

            return VectorLanes(make_vector(self.train_env_id, self.train_env_kwargs, self.num_envs), self.seed)
        if self.vectorization not in ("sync", "async"):
            raise UserError(
                f"{type(self._agent).__name__} plays whole episodes of seeds that it is given: set vectorization to"
                f" sync, async or batched, not {self.vectorization}"
            )
        make = partial(make_env, self.train_env_id, self.train_env_kwargs, self.wrappers)
        return make_lanes(make, self.seed, self.num_envs, self.vectorization, self.num_workers)

    @property
    def _agent(self) -> Any:
        return self.trainer.lightning_module if self.trainer else None

    def evaluation_envs(self, split: Literal["val", "test"]) -> "list[gym.Env[Any, Any]]":
        """Return environments for held-out episodes only, each to be reset with an episode's seed."""
        if split not in self._evaluation:
            count = min(self.episodes[split], PARALLEL_EPISODES)
            self._evaluation[split] = [self.make_env() for _ in range(count)]
        return self._evaluation[split]

    def evaluation_seeds(self, split: Literal["val", "test"]) -> list[int]:
        """Return one seed for each held-out episode of ``split``, the same in every evaluation."""
        from datamodules.environments.replay import episode_seed

        return [episode_seed(split, self.seed, number) for number in range(self.episodes[split])]

    @override
    def train_dataloader(self) -> "DataLoader[int]":
        """Yield the numbers of one epoch's iterations; a resumed run goes on with the next one."""
        return iteration_loader(self.trainer, self.num_envs, self.steps_per_epoch)

    @override
    def val_dataloader(self) -> "DataLoader[list[int]]":
        """Yield the seeds of the validation episodes, all in one batch."""
        return self._seed_loader("val")

    @override
    def test_dataloader(self) -> "DataLoader[list[int]]":
        """Yield the seeds of the test episodes, all in one batch."""
        return self._seed_loader("test")

    def _seed_loader(self, split: Literal["val", "test"]) -> "DataLoader[list[int]]":
        from torch.utils.data import DataLoader

        return DataLoader([self.evaluation_seeds(split)], batch_size=None)  # type: ignore[arg-type]  # a list will do

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return where the training environments stand, for the checkpoint; None where nobody stepped them."""
        state = self._train.state_dict() if self._train is not None else self._train_state
        return {"env_id": self.env_id, **states_to_keep("train_envs", state)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where a checkpoint left off. Raises UserError for one of another environment."""
        if state_dict["env_id"] != self.env_id:
            raise UserError(
                f"the checkpoint is of {state_dict['env_id']}, not of {self.env_id}: resume with that env_id"
            )
        self._train_state = own_state("train_envs", state_dict, bool(self.trainer and self.trainer.training))
        if self._train is not None and self._train_state is not None:
            self._train.load_state_dict(self._train_state)

    @override
    def teardown(self, stage: str) -> None:
        """End all environments; where the training ones stood stays known, for a checkpoint after the run."""
        if self._train is not None:
            self._train_state = self._train.state_dict()
        self._close_train()
        for env in (env for envs in self._evaluation.values() for env in envs):
            env.close()
        self._evaluation = {}

    def _close_train(self) -> None:
        if self._train is not None:
            self._train.close()
            self._train = None
