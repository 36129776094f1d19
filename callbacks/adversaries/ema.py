"""An exponential moving average of a generator's weights."""

from collections.abc import Sequence

from callbacks.base.ema import EMA


class GeneratorEMA(EMA):
    """``EMA`` of a generator, whose images are better so than by the weights of any one step.

    Args:
        decay: ``d``, the fraction of the average that is kept at an update, in [0, 1).
        modules: names of the submodules to average, ``a.b`` for one inside another.
        every_n_steps: update after each that many steps that changed the weights.
        warmup: at update ``t`` (from 0) use ``min(d, (1 + t) / (10 + t))``.
    """

    def __init__(
        self,
        decay: float = 0.999,
        modules: Sequence[str] = ("generator",),
        every_n_steps: int = 1,
        warmup: bool = True,
    ) -> None:
        super().__init__(decay, modules, every_n_steps, warmup)
