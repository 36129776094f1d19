"""What callbacks that show a table of values ask of the agent and of its data."""

from typing import Any

from callbacks.base.requirements import members
from callbacks.episodes.cells import Cells, cells_of
from callbacks.episodes.table_figures import Values
from dlmodules.errors import UserError
from dlmodules.protocols import HasActionValues, HasStateValues, MakesEnvironments


def require_table(owner: object, module: Any) -> None:
    """Raise UserError unless ``module`` has a table of values; ``owner`` is the callback that asks."""
    if not isinstance(module, (HasActionValues, HasStateValues)):
        wanted = f"{members(HasActionValues)} or {members(HasStateValues)}"
        raise UserError(
            f"{type(owner).__name__} needs a module with {wanted};"
            f" {type(module).__name__} has none (see dlmodules.protocols)"
        )


def values_of(module: Any) -> tuple[Values, Values | None]:
    """Return the values ``(S,)`` of the states and those ``(S, A)`` of the actions, if there are any."""
    q = module.action_values().double().cpu() if isinstance(module, HasActionValues) else None
    v = module.state_values().double().cpu() if isinstance(module, HasStateValues) or q is None else q.amax(1)
    return v.numpy(), None if q is None else q.numpy()


def grid_of(datamodule: Any) -> Cells | None:
    """Return the grid of a data module's environment; None where it has none."""
    if not isinstance(datamodule, MakesEnvironments):
        return None
    env = datamodule.make_env()
    try:
        return cells_of(env)
    finally:
        env.close()
