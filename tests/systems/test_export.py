"""Every public classifier with a known input can be exported: onnxruntime gives torch's logits."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import HasInputShape
from dlmodules_cli.export import export_onnx
from dlmodules_cli.systems import systems
from tests.systems.cases import small_arguments

for package in ("onnx", "onnxscript"):
    pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install -e '.[onnx]'")

CLASSIFIERS = [system for system in systems() if system.family == "classifiers"]


@pytest.mark.parametrize("system", CLASSIFIERS, ids=lambda system: system.name)
def test_the_exported_network_gives_the_same_logits(system, tmp_path):
    torch.manual_seed(0)
    module, path = system.module(**small_arguments(system.module)).eval(), tmp_path / "network.onnx"
    if not isinstance(module, HasInputShape) or module.input_shape is None:  # an estimator, a network of texts
        with pytest.raises(UserError, match=f"{system.name} cannot be exported: it does not say"):
            export_onnx(module, path)
        return
    assert export_onnx(module, path) <= 1e-4
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch in (1, 5):
        x = torch.rand(batch, *module.input_shape)
        with torch.no_grad():
            expected = module(x)
        (found,) = session.run(None, {"input": x.numpy()})
        assert len(expected) == batch
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=1e-4)


def test_there_are_classifiers_with_a_known_input():
    assert any(isinstance(system.module(), HasInputShape) for system in CLASSIFIERS)
