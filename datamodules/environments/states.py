"""States of an environment, sampled uniformly from its observation space."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from datamodules.environments.making import make_env
from datamodules.tables.rows import Labels, Numbers, RowDataModule
from dlmodules.errors import UserError


class StatesDataModule(RowDataModule):
    """Random states of a Gymnasium environment whose observations are bounded: 200,000 to train, 20,000 to test.

    x ``(B, D)`` float32, uniform between the bounds of the observation space; y ``(B,)`` int64, all 0, as there is
    nothing to predict. The test states are the same for every ``seed``.

    Args:
        env_id: Gymnasium id such as ``MountainCarContinuous-v0``.
        num_states: how many are drawn, validation and test states among them.
        batch_size: states of a batch, 1 or more.
        val_size: validation states: a number of them, or a fraction in (0, 1) of those that are not for the
            test; 0 for none.
        test_size: test states: a number of them, or a fraction in (0, 1) of all; 0 for none.
        standardize: give each number mean 0 and standard deviation 1; both are measured on the training states.
        seed: fixes the validation states and the order of training batches, whatever else draws random numbers.
        num_workers: processes that make batches; 0, in the main process, is fastest for rows in memory.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.

    Raises:
        UserError: for a number out of range, and for an environment that cannot be made or has no bounds.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 8,
        "num_states": 500,
        "val_size": 50,
        "test_size": 50,
    }
    names = ("state",)

    def __init__(
        self,
        env_id: str = "MountainCarContinuous-v0",
        num_states: int = 220_000,
        batch_size: int = 32,
        val_size: int | float = 2_000,
        test_size: int | float = 20_000,
        standardize: bool = False,
        seed: int = 0,
        num_workers: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        if num_states < 1:
            raise UserError(f"num_states is {num_states}; it must be 1 or more")
        super().__init__(
            batch_size=batch_size,
            val_size=val_size,
            test_size=test_size,
            standardize=standardize,
            seed=seed,
            num_workers=num_workers,
            drop_last=drop_last,
            pin_memory=pin_memory,
        )
        self.env_id = env_id
        self.num_states = num_states

    @property
    def feature_names(self) -> list[str]:
        """The numbers of a state, by their places."""
        return [f"state_{number}" for number in range(len(self._bounds[0]))]

    def load(self) -> tuple[Numbers, Labels]:
        """Draw all states."""
        low, high = self._bounds
        x = np.random.default_rng(0).uniform(low, high, size=(self.num_states, len(low)))
        return x, np.zeros(self.num_states, dtype=np.int64)

    @cached_property
    def _bounds(self) -> tuple[Numbers, Numbers]:
        import gymnasium as gym

        env = make_env(self.env_id, {}, ())
        space = env.observation_space
        env.close()
        if not isinstance(space, gym.spaces.Box) or not space.is_bounded() or len(space.shape) != 1:
            raise UserError(f"the states of {self.env_id} are no row of bounded numbers, so none can be drawn")
        return space.low.astype(np.float64), space.high.astype(np.float64)
