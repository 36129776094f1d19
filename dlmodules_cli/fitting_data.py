"""Whether a module and a data module go together at all, asked before a run folder is made."""

from typing import Any

from dlmodules.errors import UserError
from dlmodules.protocols import Acts, ActsWithMemory, HasImageShape, MakesEnvironments


def refuse_unfit_data(module: Any, data: Any) -> None:
    """Raise UserError where an agent is given batches, or another module of this package an environment.

    A module that is all the user's own may learn from whatever it likes.
    """
    if data is None or not _is_ours(module):
        return
    agent = isinstance(module, (Acts, ActsWithMemory))
    name, source = type(module).__name__, type(data).__name__
    if agent and not hasattr(type(data), "train_envs"):
        raise UserError(
            f"{name} learns by acting in an environment, but {source} gives batches: choose --data"
            " EnvironmentDataModule, or another --model for these data"
        )
    if not agent and isinstance(data, MakesEnvironments):
        needed = "images" if isinstance(module, HasImageShape) else "batches of inputs"
        raise UserError(
            f"{name} needs {needed}, but {source} gives an environment, for an agent such as DQN: choose another"
            " --data, such as DigitsDataModule"
        )


def _is_ours(module: Any) -> bool:
    return any(cls.__module__.partition(".")[0] == "dlmodules" for cls in type(module).__mro__)
