"""What a module declares to the run that trains it."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class HasBestMetric(Protocol):
    """Names the metric by which the best checkpoint of a run is chosen."""

    best_metric: tuple[str, str] | None
    """The name and ``min`` or ``max``, such as ``("val/loss", "min")``; None where there is none to choose by."""


@runtime_checkable
class CountsEnvironmentSteps(Protocol):
    """Measures its progress in steps of environments, not in training steps."""

    env_steps: int
    """Steps so far, over all environments."""
