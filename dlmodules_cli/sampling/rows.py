"""``sample`` for modules of rows of numbers or categories."""

import numpy as np
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import SamplesRows
from dlmodules_cli.sampling.request import Request


def write_rows(request: Request) -> None:
    """Write ``samples.npz`` with ``samples (n, D)``. Raises UserError if a class is requested."""
    module, output = request.module, request.output
    assert isinstance(module, SamplesRows)
    if request.label is not None:
        raise UserError(f"{request.name} is not conditional: leave --label out")
    with torch.no_grad():
        rows = module.sample_rows(request.count, generator=request.generator()).cpu()
    np.savez_compressed(output / "samples.npz", samples=rows.numpy())
    print(f"{request.count} rows: {output / 'samples.npz'} (array `samples`, {tuple(rows.shape)})")
