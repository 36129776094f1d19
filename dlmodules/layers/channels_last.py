"""The memory format in which convolutions run faster on CPUs and on tensor cores."""

from typing import Any

import torch
from torch import nn


def use_channels_last(module: nn.Module) -> None:
    """Store the convolution weights of ``module`` channels last, in place, for as long as it lives.

    Its ``state_dict`` holds them in the usual order, so that every reader of weights takes it.
    """
    module.to(memory_format=torch.channels_last)
    module.register_state_dict_post_hook(_contiguous)  # type: ignore[no-untyped-call]  # torch has no types there


def _contiguous(module: nn.Module, state_dict: dict[str, Any], prefix: str, local_metadata: Any) -> None:
    for name, tensor in state_dict.items():
        # With keep_vars=True these are the parameters themselves, which must stay what they are.
        if name.startswith(prefix) and isinstance(tensor, torch.Tensor) and not isinstance(tensor, nn.Parameter):
            state_dict[name] = tensor.contiguous()
