"""A picture of what a policy does in the states of a plane."""

from typing import Any, ClassVar

from torch import Tensor
from typing_extensions import override

from callbacks.episodes.value_map import ValueMap


class PolicyMap(ValueMap):
    """Plots a policy over two of the numbers of an observation, and what its critic takes the states to be worth.

    Of a Gaussian policy the mean of an action's first number and its deviation, of a categorical one the best action
    and its probability. Works with any agent whose ``forward`` maps observations ``(B, D)`` to a distribution. The
    picture is ``policy_map``. Arguments are those of ``ValueMap``.
    """

    picture: ClassVar[str] = "policy_map"

    @override
    def panels(self, agent: Any, states: Tensor) -> list[tuple[str, Tensor]]:
        distribution = agent(states)
        if hasattr(distribution, "probs"):
            probability, action = distribution.probs.max(1)
            found = [("best action", action), ("its probability", probability)]
        else:
            found = [("mean", distribution.mean[:, 0]), ("deviation", distribution.stddev[:, 0])]
        if hasattr(agent, "critic"):
            values = agent.critic(agent.encode(states))
            if values.shape[1] == 1:
                found.append(("value", values[:, 0]))
        return [(title, numbers.cpu()) for title, numbers in found]
