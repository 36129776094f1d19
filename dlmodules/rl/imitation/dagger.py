"""DAgger: an expert who says what should have been done where the learner came to."""

from typing import Any

from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.imitation.cloning import BehaviouralCloning
from dlmodules.validation.arguments import check_fractions


class DAgger(BehaviouralCloning):
    """Cloning that learns what the expert would do in the frames that the learner itself comes to see.

    Who clones sees in training only where the expert drives; a small error takes it to where it has never been, and
    there its errors are larger. Here learner and expert take turns, step by step, the expert ever more seldom, and the
    expert's answer to each frame is kept, whoever drives. All that was ever kept is learnt from.

    Paper: Ross, Gordon & Bagnell 2011, A Reduction of Imitation Learning and Structured Prediction to No-Regret Online
        Learning, arXiv:1011.0686.
    Books: vasilev 10.5, vasilev 10.7.

    Logged: what ``BehaviouralCloning`` logs.

    Args:
        decay: the expert drives a step of round i, whose first is 0, with this probability to the power of i, in
            [0, 1]; 0 leaves the expert the first round alone.
        **kwargs: those of ``BehaviouralCloning``; a round has ``expert_steps`` steps.
    """

    def __init__(self, decay: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_fractions(decay=decay)
        self.decay = decay

    @property
    @override
    def expert_part(self) -> float:
        part: float = self.decay ** (self.env_steps // self.expert_steps)
        return part

    @override
    def observe(self, transition: Transition) -> None:
        """Keep every step, whoever drives."""
        self.keep(transition)
