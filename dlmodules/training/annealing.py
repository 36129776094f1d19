"""Values that change with the training step: the probability of random actions, the weight of a loss term."""


def linear_annealing(step: int, start: float, end: float, duration: int) -> float:
    """Go in a straight line from ``start`` at step 0 to ``end`` at ``duration``, then stay."""
    return start + (end - start) * _progress(step, duration)


def exponential_annealing(step: int, start: float, end: float, duration: int) -> float:
    """Multiply by one factor each step, from ``start`` (> 0) to ``end`` (> 0) at ``duration``, then stay."""
    return float(start * (end / start) ** _progress(step, duration))


def _progress(step: int, duration: int) -> float:
    return 1.0 if step >= duration else step / duration
