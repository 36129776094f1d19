"""``export``: a part of a checkpoint's module as an ONNX file, checked against torch."""

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from pytorch_lightning import LightningModule
from torch import Tensor

from dlmodules.checkpoints.atomic import whole_file
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError, install_command
from dlmodules_cli.export_parts import Part, part_of
from dlmodules_cli.loading import import_own

TOLERANCE = 1e-4
BATCHES = (1, 5)
NEEDED = ("onnx", "onnxscript", "onnxruntime")


def export(chosen: Namespace) -> None:
    """Run ``export`` with its options."""
    output = Path(chosen.output)
    import_own(chosen.imports)
    module = load_module(chosen.ckpt_path)
    part = part_of(module, chosen.part)
    difference = export_onnx(module, output, part)
    inputs = ", ".join(
        f"{name} ({', '.join(['batch', *map(str, value.shape[1:])])}) {str(value.dtype).removeprefix('torch.')}"
        for name, value in part.inputs(1).items()
    )
    batches = " and ".join(map(str, BATCHES))
    print(
        f"{output}: input{'s' if len(part.inputs(1)) > 1 else ''} {inputs.removeprefix('input ')}, output"
        f" `{part.output}`; onnxruntime and torch differ by {difference:.1e} at batches of {batches}"
    )


def export_onnx(module: LightningModule, output: Path, part: Part | None = None) -> float:
    """Write a part of ``module`` to ``output`` with a batch axis of any size, and check it in onnxruntime.

    The file appears only when its outputs are those of torch.

    Args:
        module: in evaluation mode, on the CPU.
        output: the file; its folder is made where it is missing.
        part: what to write; None takes the policy of an agent, the generator of an adversarial module, the network of
            one that says in ``input_shape`` what it takes, or else the decoder.

    Returns:
        The largest difference from torch's outputs, of batches of 1 and 5 made-up inputs.

    Raises:
        UserError: there is no such part, a package is missing, the file cannot be written, or the difference is
            greater than 1e-4.
    """
    part = part_of(module, None) if part is None else part
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"export needs {' and '.join(missing)}: {install_command('onnx')}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(output) as temporary:
            _write(module, part, temporary)
            difference = max(_difference(part, temporary, batch) for batch in BATCHES)
            if not difference <= TOLERANCE:  # what is not a number is not within it
                raise UserError(
                    f"onnxruntime and torch differ by {difference:.1e}, more than {TOLERANCE:.0e}: {output} is not"
                    " written"
                )
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror or error}") from error
    return difference


def _write(module: LightningModule, part: Part, path: Path) -> None:
    # Two, since the exporter would take a size of one for a constant.
    inputs = part.inputs(2)
    batch = torch.export.Dim("batch")
    # A wrapped method takes its inputs as one tuple.
    shapes: Any = tuple({0: batch} for _ in inputs)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's words to its own developers
        try:
            program = torch.onnx.export(
                part.network,
                tuple(inputs.values()),
                dynamo=True,
                verbose=False,
                input_names=list(inputs),
                output_names=[part.output],
                dynamic_shapes=shapes if part.network is module else (shapes,),
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().partition("\n")[0]
            raise UserError(f"{type(module).__name__} cannot be exported: {reason}") from error
    assert program is not None
    program.save(str(path), external_data=False)  # one file, whatever its size


def _difference(part: Part, path: Path, batch: int) -> float:
    import onnxruntime

    inputs = part.inputs(batch)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (found,) = session.run([part.output], {name: value.numpy() for name, value in inputs.items()})
    with torch.no_grad():
        expected: Tensor = part.network(*inputs.values())
    if found.shape != tuple(expected.shape):
        return float("nan")
    return float((torch.from_numpy(found) - expected).abs().max())
