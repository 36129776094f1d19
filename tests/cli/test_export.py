"""``export`` as a user types it."""

import importlib.util
import sys

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import nn

from dlmodules import ACGAN, CVAE, DCGAN, DQN, VAE, InfoGAN, MLPClassifier, StackedGAN, TextClassifier
from dlmodules.errors import UserError
from dlmodules_cli import export as export_module
from dlmodules_cli.export import export_onnx
from dlmodules_cli.export_parts import part_of
from dlmodules_cli.main import main


@pytest.fixture(autouse=True)
def packages():
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install -e '.[onnx]'")


def checkpoint(module, folder):
    trainer = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu")
    trainer.strategy.connect(module)
    path = folder / "last.ckpt"
    trainer.save_checkpoint(path)
    return str(path)


@pytest.fixture
def mistake(capsys):
    """Run a command that must fail, and return its one line."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["export", *arguments])
        assert stop.value.code == 2
        (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
        return line

    return run


def small():
    return MLPClassifier(input_shape=(1, 4, 4), hidden_dims=(8,))


def test_it_writes_one_file_and_says_how_near_it_is(tmp_path, capsys):
    path = tmp_path / "new" / "network.onnx"
    main(["export", "--ckpt_path", checkpoint(small(), tmp_path), "--output", str(path)])
    said = capsys.readouterr().out
    assert "input (batch, 1, 4, 4) float32" in said
    assert "onnxruntime and torch differ by" in said
    assert [file.name for file in path.parent.iterdir()] == ["network.onnx"]


def test_any_batch_and_without_dropout(tmp_path):
    import onnxruntime

    module = small().eval()
    export_onnx(module, tmp_path / "a.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "a.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 1, 4, 4]
    for batch in (1, 3, 17):
        x = torch.rand(batch, 1, 4, 4)
        found = torch.from_numpy(session.run(["logits"], {"input": x.numpy()})[0])
        torch.testing.assert_close(found, module(x).detach(), rtol=0, atol=1e-5)


def test_wrong_ending_missing_file_and_missing_argument(mistake, tmp_path):
    path = checkpoint(small(), tmp_path)
    assert "its name must end in .onnx" in mistake("--ckpt_path", path, "--output", str(tmp_path / "a.pt"))
    assert "there is no checkpoint nowhere" in mistake("--ckpt_path", "nowhere", "--output", "a.onnx")
    assert "--output must be given" in mistake("--ckpt_path", path)
    line = mistake("--ckpt_path", path, "--output", str(tmp_path / "last.ckpt" / "a.onnx"))
    assert "cannot write" in line


def test_a_module_without_a_known_input(mistake, tmp_path):
    line = mistake("--ckpt_path", checkpoint(TextClassifier(), tmp_path), "--output", str(tmp_path / "a.onnx"))
    assert "TextClassifier cannot be exported: it does not say in `input_shape` which input it takes" in line
    assert not (tmp_path / "a.onnx").exists()


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named(mistake, tmp_path, monkeypatch, name):
    path, found = checkpoint(small(), tmp_path), importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None if asked == name else found(asked))
    line = mistake("--ckpt_path", path, "--output", str(tmp_path / "a.onnx"))
    assert f'export needs {name}: pip install ".[onnx]" in a checkout of dlmodules' in line


class Own(LightningModule):
    input_shape = (3,)

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x)


def test_a_file_that_differs_from_torch_is_not_written(tmp_path, monkeypatch):
    module = Own().eval()
    written = export_module._write

    def other_weights(module, shape, path):
        written(module, shape, path)
        with torch.no_grad():
            module.layer.bias += 1e-3

    monkeypatch.setattr(export_module, "_write", other_weights)
    with pytest.raises(UserError, match=r"differ by 1\.0e-03, more than 1e-04: .*a\.onnx is not written"):
        export_onnx(module, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_no_numbers_are_not_exported(tmp_path):
    module = Own().eval()
    nn.init.constant_(module.layer.bias, float("nan"))
    with pytest.raises(UserError, match="differ by nan"):
        export_onnx(module, tmp_path / "a.onnx")


def test_a_forward_that_torch_cannot_trace(tmp_path):
    class Branching(Own):
        def forward(self, x):
            return self.layer(x) if float(x.sum()) > 0 else x

    with pytest.raises(UserError, match="Branching cannot be exported: "):
        export_onnx(Branching().eval(), tmp_path / "a.onnx")


def test_own_class_from_the_present_folder(tmp_path, monkeypatch):
    (tmp_path / "exported_own.py").write_text(
        "import dlmodules\n\n\nclass MyMLP(dlmodules.MLPClassifier):\n"
        "    def __init__(self, width: int = 8):\n        super().__init__(input_shape=(4,), hidden_dims=[width])\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import exported_own

    path = checkpoint(exported_own.MyMLP(), tmp_path)
    sys.modules.pop("exported_own")
    main(["export", "--ckpt_path", path, "--output", "a.onnx", "--imports", "[exported_own]"])
    assert (tmp_path / "a.onnx").is_file()


PARTS = [
    (VAE, {}, None, ["code"], "decoded"),
    (VAE, {}, "encoder", ["input"], "code"),
    (CVAE, {}, None, ["code", "labels"], "decoded"),
    (DCGAN, {"width": 0.1}, None, ["noise"], "images"),
    (ACGAN, {"width": 0.1}, None, ["noise", "labels"], "images"),
    (InfoGAN, {"width": 0.1}, None, ["noise", "labels", "codes"], "images"),
    (StackedGAN, {"width": 0.1}, None, ["noise", "labels", "codes"], "images"),
    (DQN, {}, None, ["observation"], "action"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "arguments", "part", "inputs", "output"), PARTS)
def test_decoders_generators_and_policies(tmp_path, capsys, cls, arguments, part, inputs, output):
    import onnxruntime

    torch.manual_seed(0)
    module, path = cls(**arguments).eval(), tmp_path / "part.onnx"
    chosen = ["--part", part] if part else []
    main(["export", "--ckpt_path", checkpoint(module, tmp_path), "--output", str(path), *chosen])
    assert f"output `{output}`" in capsys.readouterr().out
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_inputs()] == inputs
    for batch in (1, 3):
        given = part_of(module, part).inputs(batch)
        (found,) = session.run([output], {name: value.numpy() for name, value in given.items()})
        method = {"decoded": "decode", "code": "encode", "images": "forward", "action": "act"}[output]
        expected = getattr(module, method)(*given.values()).detach()
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=1e-4)


def test_a_part_that_there_is_not(mistake, tmp_path):
    path = checkpoint(small(), tmp_path)
    line = mistake("--ckpt_path", path, "--output", str(tmp_path / "a.onnx"), "--part", "decoder")
    assert "MLPClassifier has no decoder to export; it has: network" in line
