"""What is said of a class that the user names and that cannot be had."""

import sys

import pytest

from dlmodules.errors import UserError
from dlmodules_cli.class_paths import KINDS, import_named, why_not
from dlmodules_cli.early import resolved
from dlmodules_cli.main import main

FILES = {
    "bad_import_of_mine.py": "import dlmodules\nimport not_there\n",
    "bad_syntax_of_mine.py": "import dlmodules\n\n\nclass Net(dlmodules.VAE)\n    pass\n",
    "bad_call_of_mine.py": "import dlmodules\n\n\ndlmodules.VAE(latent_dim=0)\n",
    "good_of_mine.py": "class Net:\n    pass\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "package_of_mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


@pytest.mark.parametrize(
    ("class_path", "kind", "expected"),
    [
        (
            "bad_import_of_mine.Net",
            "LightningModule",
            "ModuleNotFoundError: No module named 'not_there' ({}/bad_import",
        ),
        ("bad_syntax_of_mine.Net", "LightningModule", "SyntaxError: expected ':' ({}/bad_syntax_of_mine.py, line 4)"),
        (
            "bad_call_of_mine.Net",
            "LightningModule",
            "latent_dim is 0; it must be 1 or more ({}/bad_call_of_mine.py, line 4)",
        ),
        ("good_of_min.Net", "LightningModule", "no module good_of_min (did you mean good_of_mine?); looked in {}, "),
        ("package_of_mine.gan.Net", "LightningModule", "no module package_of_mine.gan; looked in {}/package_of_mine"),
        (
            "good_of_mine.Nett",
            "LightningModule",
            "good_of_mine ({}/good_of_mine.py) has no class Nett (did you mean Net?)",
        ),
        ("good_of_mine.Net", "LightningModule", "good_of_mine.Net is no module: it must be a"),
        ("Adamm", "Optimizer", "there is no optimizer Adamm (did you mean Adam or "),
        ("torch.optim.Adamm", "Optimizer", "torch.optim has no class Adamm (did you mean Adam or "),
        ("torch.nn.Linear", "Optimizer", "torch.nn.Linear is no optimizer"),
        ("LinearLRR", "LRScheduler", "there is no scheduler LinearLRR (did you mean LinearLR?)"),
        ("Foo", "Module", "there is no network Foo: give its import path, such as my_networks.Foo"),
        ("callbacks.SampleGird", "Callback", "there is no class callbacks.SampleGird (did you mean SampleGrid?)"),
        ("vae.yaml", "LightningModule", "there is no file vae.yaml"),
    ],
)
def test_the_reason_is_told(folder, class_path, kind, expected):
    assert expected.format(folder) in why_not(class_path, KINDS[kind])


@pytest.mark.parametrize("class_path", ["dlmodules.VAE", "torch.optim.Adam", "two words", "VAE", "3"])
def test_of_what_can_be_had_nothing_is_told(class_path):
    assert why_not(class_path, None) is None


def test_imports_show_what_failed_in_them(folder):
    with pytest.raises(UserError, match=r"bad_import_of_mine cannot be imported: .*not_there.* line 2\)"):
        import_named("bad_import_of_mine")
    with pytest.raises(UserError, match=r"no module nothing_of_mine.*; looked in"):
        resolved(["fit", "--model", "nothing_of_mine.Net"])


SMALL = ["fit", "--data", "DigitsDataModule"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "bad_syntax_of_mine.Net"], "bad_syntax_of_mine.py, line 4)"),
        (["--config", "own.yaml"], "bad_import_of_mine.py, line 2)"),
        (["--model", "VAE", "--trainer.callbacks+=no_callbacks.Foo"], "no module no_callbacks"),
        (["--model", "VAE", "--model.optimizer", "Adamm"], "there is no optimizer Adamm (did you mean Adam or "),
        (
            ["--model", "VAE", "--model.optimizer.init_args.lrr", "1"],
            "RMSprop has no argument lrr (did you mean lr?); it has: alpha,",
        ),
        (
            ["--model", "VAE", "--model.optimizer=SGD", "--model.optimizer.lrr=1"],
            "SGD has no argument lrr (did you mean lr?); it has: dampening,",
        ),
        (["--config", "optimizer.yaml"], "RMSprop has no argument lrr (did you mean lr?)"),
        (
            ["--model", "VAE", "--trainer.callbacks+=SampleGrid", "--trainer.callbacks.every=3"],
            "SampleGrid has no argument every; it has: every_n_epochs",
        ),
    ],
)
def test_the_command_tells_it(folder, capsys, arguments, expected):
    (folder / "own.yaml").write_text("model: {class_path: bad_import_of_mine.Net}\n")
    (folder / "optimizer.yaml").write_text(
        # Its full path: a test before may have imported Lightning Bolts, which has a VAE, too.
        "model: {class_path: dlmodules.VAE, init_args: {optimizer: {class_path: torch.optim.RMSprop,"
        " init_args: {lrr: 1}}}}\n"
    )
    with pytest.raises(SystemExit) as stop:
        main([*SMALL, *arguments])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert expected in line
    assert not (folder / "runs").exists()
