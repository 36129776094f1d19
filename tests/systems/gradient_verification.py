"""Check with lightning-bolts' BatchGradientVerification that a network keeps the samples of a batch apart."""

import copy
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from dlmodules.compat import bolts


def assert_no_gradient_across_samples(network: nn.Module, example: Tensor | tuple[Any, ...]) -> None:
    """Assert that each output ``i`` of ``network(*example)`` has a gradient to input ``i`` and to no other.

    The check is made in evaluation mode, because batch norm rightly mixes the samples while it trains, and
    on a copy: the network, its gradients and the random numbers stay as they are. Noise drawn in ``forward``
    is seeded.

    Args:
        network: Has parameters, and returns a tensor, a collection of tensors or a distribution, the batch first.
        example: The argument of the network, or a tuple of them: float tensors of one batch size >= 2, and
            anything else beside them (labels, None), which is passed on and not checked.
    """
    if find_spec("pl_bolts") is None:
        pytest.skip(f"lightning-bolts is not installed ({bolts.INSTALL_COMMAND})")
    with warnings.catch_warnings(), torch.random.fork_rng():
        verification_class = bolts.batch_gradient_verification()
        collect_tensors = import_module("pl_bolts.callbacks.verification.batch_gradient").collect_tensors
        warnings.simplefilter("ignore")  # bolts warns of each of its classes that it is under review
        inputs: list[Tensor] = []

        def float_inputs(data: Any) -> list[Tensor]:
            inputs[:] = [t for t in collect_tensors(data) if t.is_floating_point() and t.ndim > 0]
            return inputs

        def random_projections(output: Any) -> Tensor:
            # Bolts adds up the outputs of a sample: those of a softmax are 1 together, whatever the input is.
            # The inputs times 0 give an input that the network ignores a gradient, of zero, instead of None.
            if isinstance(output, Distribution):
                output = [output.logits] if hasattr(output, "logits") else [output.mean, output.stddev]
            rows = [_rows(t) for t in collect_tensors(output) if t.ndim > 0] + [_rows(t) * 0 for t in inputs]
            weights = torch.Generator().manual_seed(0)
            return torch.cat([r * torch.randn(r.shape[1], generator=weights).to(r.device) for r in rows], dim=1)

        verification = verification_class(copy.deepcopy(network).eval())
        batch_size = float_inputs(example)[0].shape[0]
        for i in range(batch_size):
            torch.manual_seed(0)
            passed = verification.check(example, float_inputs, random_projections, sample_idx=i)
            reached = [[j for j in range(batch_size) if t.grad is not None and t.grad[j].any()] for t in inputs]
            assert passed, f"{type(network).__name__}: output {i} has gradients to the inputs {reached}, not to [{i}]"


def assert_tokens_stay_apart(network: nn.Module, *example: Tensor) -> None:
    """Assert that each output ``i`` of ``network(*example)`` depends on row ``i`` of integers and on no other.

    Integers have no gradient. So each row in turn is replaced, by that of another sample: the output of the row must
    move, and the others must stay. It is checked in evaluation mode, on a copy, and noise is seeded.

    Args:
        network: Maps integers to a tensor or a tuple of them, the batch first in all.
        example: Integers ``(B, ...)``, of each of which no two rows are equal, B >= 2.
    """
    network = copy.deepcopy(network).eval()

    def output(*tokens: Tensor) -> Tensor:
        torch.manual_seed(0)
        made = network(*tokens)
        return torch.cat([_rows(part) for part in (made if isinstance(made, tuple) else (made,))], dim=1)

    with torch.no_grad(), torch.random.fork_rng():
        before = output(*example)
        for number, tokens in enumerate(example):
            for i in range(len(tokens)):
                changed = tokens.clone()
                changed[i] = tokens[i - 1]
                after = output(*example[:number], changed, *example[number + 1 :])
                moved = [j for j in range(len(tokens)) if not torch.allclose(before[j], after[j], rtol=0, atol=1e-6)]
                assert moved == [i], f"{type(network).__name__}: input {i} moves the outputs {moved}, not [{i}]"


def _rows(batch: Tensor) -> Tensor:
    return batch.reshape(batch.shape[0], -1)
