"""The progress of a training run, for file names, charts and logs."""

from pytorch_lightning import Trainer

from dlmodules.protocols import CountsEnvironmentSteps


def steps_done(trainer: Trainer) -> int:
    """How many training steps were done, whatever the number of optimizers in each."""
    return min(trainer.global_step, trainer.fit_loop.total_batch_idx + 1)


def environment_steps(trainer: Trainer) -> int | None:
    """How many environment steps were done, for an agent; None for all others."""
    module = trainer.lightning_module
    return module.env_steps if isinstance(module, CountsEnvironmentSteps) else None


def position(trainer: Trainer) -> int:
    """How far the training is: environment steps for an agent, training steps for all others."""
    counted = environment_steps(trainer)
    return steps_done(trainer) if counted is None else counted


def logged_step(trainer: Trainer) -> int:
    """The step under which Lightning logs the metrics of this moment: it counts from zero.

    Were a picture logged under the global step, the next metrics would lie before it on a chart.
    An agent logs under its environment steps.
    """
    counted = environment_steps(trainer)
    return max(0, steps_done(trainer) - 1) if counted is None else counted
