"""How far a training is, for whoever writes it into a file name, a chart or a log."""

from pytorch_lightning import Trainer


def steps_done(trainer: Trainer) -> int:
    """How many training steps were done, whatever the number of optimizers in each."""
    return min(trainer.global_step, trainer.fit_loop.total_batch_idx + 1)


def position(trainer: Trainer) -> int:
    """How far the training is: environment steps for an agent, training steps for all others."""
    return int(getattr(trainer.lightning_module, "env_steps", steps_done(trainer)))


def logged_step(trainer: Trainer) -> int:
    """The step under which Lightning logs the metrics of this moment: it counts from zero.

    Were a picture logged under the global step, the next metrics would lie before it on a chart.
    An agent logs under its environment steps.
    """
    environment_steps = getattr(trainer.lightning_module, "env_steps", None)
    return max(0, steps_done(trainer) - 1) if environment_steps is None else int(environment_steps)
