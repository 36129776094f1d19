"""CarRacing with an expert beside the driver, who says what to do."""

from typing import Any, Literal

from typing_extensions import override

from datamodules.environments.racing.env import CarRacing
from datamodules.environments.racing.expert import EXPERTS
from dlmodules.errors import UserError


class GuidedCarRacing(CarRacing):
    """``CarRacing`` that says in ``expert_action`` what an expert would do where the car is now.

    It is known before the driver acts, so that a frame and what to do about it belong together. It depends on the seed
    and the actions of the episode alone.

    Args:
        expert: ``wheel`` turns the wheel as far as it is needed, ``calm`` does so at a lower speed, ``keys`` drives by
            keys, as a person does.
        **kwargs: of ``CarRacing``.

    Raises:
        UserError: there is no such expert, or actions are numbered.
    """

    def __init__(self, expert: Literal["wheel", "calm", "keys"] = "wheel", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if expert not in EXPERTS:
            raise UserError(f"expert is {expert!r}: choose one of {', '.join(EXPERTS)}")
        self.expert = EXPERTS[expert](self)
        self.expert_action: Any = None

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        found = super().step(action)
        # At once, and not when somebody asks: the expert remembers where the car was.
        self.expert_action = self.expert.act()
        return found
