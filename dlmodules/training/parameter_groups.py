"""Parameters in groups, of which an optimizer treats each in its own way."""

from typing import Any

from torch import nn


def decayed_groups(module: nn.Module) -> list[dict[str, Any]]:
    """Return the parameters in two groups: matrices, and the rest, whose weights do not decay.

    What is decayed stays near 0: right for the matrices of linear layers and embeddings, wrong for the scales of
    norms, and of no use for biases. With an optimizer that has no ``weight_decay`` the groups change nothing.
    """
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in trained if parameter.ndim >= 2]},
        {"params": [parameter for parameter in trained if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
