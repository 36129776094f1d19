"""What the sweeps of several systems share."""

from collections.abc import Sequence

from dlmodules.errors import UserError


def check_sweep(name: str, sweeps: Sequence[str], owner: str) -> None:
    """Raise UserError unless ``name`` is among ``sweeps``, which are what ``owner`` can change."""
    if name not in sweeps:
        raise UserError(f"this {owner} has no {name}; choose {' or '.join(sweeps)}")
