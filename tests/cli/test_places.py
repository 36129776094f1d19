"""The command in a folder of the user's, with files of the same names as ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def command(tmp_path):
    """The installed command: a script in another folder, the packages somewhere in the path."""
    script = tmp_path / "bin" / "dlmodules"
    script.parent.mkdir()
    target = _entry_point()
    module, _, function = target.partition(":")
    script.write_text(f"from {module} import {function}\n{function}()\n")
    here = tmp_path / "project"
    here.mkdir()
    (here / "train.py").write_text("raise RuntimeError('the user trains')\n")
    for name in ("callbacks", "datamodules"):
        (here / name).mkdir()
        (here / name / "__init__.py").write_text("raise RuntimeError('of the user')\n")

    def run(*arguments, path=(ROOT,), module=None):
        variables = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
        variables |= {"PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}
        program = [sys.executable, *(["-m", module] if module else [str(script)]), *arguments]
        return subprocess.run(
            program, cwd=here, env=variables, capture_output=True, text=True, timeout=300, check=False
        )

    run.folder = here
    return run


def _entry_point():
    line = next(line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("dlmodules = "))
    return line.partition("=")[2].strip().strip('"')


def test_the_users_files_disturb_nothing_and_his_classes_can_be_named(command):
    (command.folder / "mine.py").write_text("import dlmodules\n\n\nclass MyVAE(dlmodules.VAE):\n    pass\n")
    done = command(
        *["fit", "--model", "mine.MyVAE", "--data", "DigitsDataModule", "--trainer.max_steps", "1"],
        *["--trainer.enable_progress_bar", "false", "--trainer.limit_val_batches", "0", "--trainer.accelerator", "cpu"],
    )
    assert done.returncode == 0, done.stderr
    assert (command.folder / "runs" / "MyVAE-Digits" / "version_0" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.parametrize("how", [{"path": (".", ROOT)}, {"module": "dlmodules_cli"}], ids=["PYTHONPATH", "-m"])
def test_one_line_says_what_hides_ours(command, how):
    done = command("systems", **how)
    assert done.returncode == 2
    hides = command.folder / "datamodules"
    assert done.stderr == (
        f"error: {hides} hides the package datamodules of dlmodules, since {command.folder} comes first in Python's"
        " path: take it off PYTHONPATH and use the command `dlmodules`, or rename it\n"
    )


def test_the_wheel_has_no_module_train():
    text = (ROOT / "pyproject.toml").read_text()
    wheel = text.partition("[tool.hatch.build.targets.wheel]")[2].partition("\n[")[0]
    assert "train" not in wheel
    assert _entry_point() == "dlmodules_cli.main:main"
