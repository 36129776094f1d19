"""``export``: a checkpoint's network as an ONNX file, checked against torch."""

import contextlib
import importlib.util
import os
import warnings
from pathlib import Path

import torch
from jsonargparse import Namespace
from pytorch_lightning import LightningModule
from torch import Tensor

from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.protocols import HasInputShape
from dlmodules_cli.loading import import_own

TOLERANCE = 1e-4
BATCHES = (1, 5)
NEEDED = ("onnx", "onnxscript", "onnxruntime")


def export(chosen: Namespace) -> None:
    """Run ``export`` with its options."""
    output = Path(chosen.output)
    import_own(chosen.imports)
    module = load_module(chosen.ckpt_path)
    difference = export_onnx(module, output)
    batches = " and ".join(map(str, BATCHES))
    print(
        f"{output}: input (batch, {', '.join(map(str, known_input_shape(module)))}) float32, output `logits`;"
        f" onnxruntime and torch differ by {difference:.1e} at batches of {batches}"
    )


def known_input_shape(module: LightningModule) -> tuple[int, ...]:
    """Return the shape of one input of ``module``, or raise the UserError that it is not known."""
    shape = module.input_shape if isinstance(module, HasInputShape) else None
    if shape is None:
        raise UserError(
            f"{type(module).__name__} cannot be exported: it does not say in `input_shape` which input it takes"
        )
    return tuple(shape)


def export_onnx(module: LightningModule, output: Path) -> float:
    """Write the ``forward`` of ``module`` to ``output`` with a batch axis of any size, and check it in onnxruntime.

    The file appears only when its logits are those of torch.

    Args:
        module: in evaluation mode, on the CPU; it says in ``input_shape`` what it takes.
        output: the file; its folder is made where it is missing.

    Returns:
        The largest difference from torch's logits, of batches of 1 and 5 random inputs in [0, 1].

    Raises:
        UserError: the input is not known, a package is missing, the file cannot be written, or the difference is
            greater than 1e-4.
    """
    shape = known_input_shape(module)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f'export needs {" and ".join(missing)}: pip install "dlmodules[onnx]"')
    temporary = output.with_name(f".{output.stem}.tmp.onnx")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _write(module, shape, temporary)
        difference = max(_difference(module, temporary, batch, shape) for batch in BATCHES)
        if not difference <= TOLERANCE:  # what is not a number is not within it
            raise UserError(
                f"onnxruntime and torch differ by {difference:.1e}, more than {TOLERANCE:.0e}: {output} is not written"
            )
        os.replace(temporary, output)
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # a folder that refused the file has none to remove
            temporary.unlink(missing_ok=True)
    return difference


def _write(module: LightningModule, shape: tuple[int, ...], path: Path) -> None:
    # Two, since the exporter would take a size of one for a constant.
    inputs = _inputs(2, shape)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's words to its own developers
        try:
            program = torch.onnx.export(
                module,
                (inputs,),
                dynamo=True,
                verbose=False,
                input_names=["input"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().partition("\n")[0]
            raise UserError(f"{type(module).__name__} cannot be exported: {reason}") from error
    assert program is not None
    program.save(str(path), external_data=False)  # one file, whatever its size


def _inputs(batch: int, shape: tuple[int, ...]) -> Tensor:
    return torch.rand(batch, *shape, generator=torch.Generator().manual_seed(batch))


def _difference(module: LightningModule, path: Path, batch: int, shape: tuple[int, ...]) -> float:
    import onnxruntime

    inputs = _inputs(batch, shape)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = torch.from_numpy(session.run(["logits"], {"input": inputs.numpy()})[0])
    with torch.no_grad():
        expected: Tensor = module(inputs)
    if found.shape != expected.shape:
        return float("nan")
    return float((found - expected).abs().max())
