"""A run that fails before its first step is over leaves no folder; one that trained keeps everything."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pytorch_lightning import Trainer

from callbacks.run.loggers import RunWandbLogger
from dlmodules_cli.failed_starts import MadeFolder, remove_failed_start
from dlmodules_cli.main import main

QUIET = [
    *["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--trainer.max_steps", "2"],
    *["--trainer.enable_model_summary", "false", "--data.batch_size", "8", "--trainer.limit_val_batches", "1"],
]
VAE = ["fit", "--model", "VAE", "--data", "DigitsDataModule", *QUIET]
MNIST = ["fit", "--model", "VAE", "--data", "MNISTDataModule", "--data.data_dir", "nowhere", *QUIET]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    return tmp_path


def fails(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 2


def no_network(*args, **kwargs):
    raise OSError("no network")


@pytest.mark.parametrize(
    "arguments",
    [
        [*VAE, "--model.latent_dim", "0"],
        [*VAE, "--data.image_size", "32"],
        [*VAE, "--trainer.devices", "0"],
        [*VAE, "--trainer.callbacks+=callbacks.BoxPicture"],
        MNIST,
    ],
    ids=["argument", "shape", "devices", "callback", "data"],
)  # fmt: skip
def test_a_failed_start_leaves_nothing(here, arguments, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    fails(*arguments)
    assert not (here / "runs").exists()


def test_a_bug_in_the_first_step_leaves_nothing(here, monkeypatch):
    monkeypatch.setattr("dlmodules.VAE.training_step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(VAE)
    assert not (here / "runs").exists()


def test_what_was_there_stays(here):
    main(VAE)
    before = sorted(here.rglob("*"))
    assert [path.name for path in (here / "runs" / "VAE-Digits").iterdir()] == ["version_0"]
    fails(*VAE, "--data.image_size", "32")
    last = here / "runs" / "VAE-Digits" / "version_0" / "checkpoints" / "last.ckpt"
    fails(*VAE, "--data.image_size", "32", "--trainer.max_steps", "4", "--ckpt_path", str(last))
    found = sorted(here.rglob("*"))
    assert [path for path in before if path not in found] == []
    assert [path.name for path in (here / "runs" / "VAE-Digits").iterdir()] == ["version_0"]


def test_a_run_that_fails_later_keeps_its_folder(here, monkeypatch):
    import dlmodules

    step, calls = dlmodules.VAE.training_step, []

    def second_fails(self, batch, index):
        calls.append(index)
        return step(self, batch, index) if len(calls) == 1 else 1 / 0

    monkeypatch.setattr(dlmodules.VAE, "training_step", second_fails)
    with pytest.raises(ZeroDivisionError):
        main(VAE)
    assert (here / "runs" / "VAE-Digits" / "version_0" / "config.yaml").is_file()


def test_a_picture_or_checkpoint_is_kept(tmp_path):
    folder = tmp_path / "a" / "version_0"
    (folder / "media").mkdir(parents=True)
    (folder / "media" / "x.png").touch()
    remove_failed_start(MadeFolder(folder, (folder.parent,)), None)
    assert (folder / "media" / "x.png").is_file()
    (folder / "media" / "x.png").unlink()
    (Path(folder.parent) / "others").touch()
    remove_failed_start(MadeFolder(folder, (folder.parent,)), None)
    assert [path.name for path in folder.parent.iterdir()] == ["others"]


def test_an_online_run_of_a_failed_start_is_deleted(tmp_path, monkeypatch):
    deleted, trainer = [], Trainer(logger=RunWandbLogger(tmp_path / "version_0", "abc"), accelerator="cpu")
    trainer.logger._experiment = SimpleNamespace(offline=False, path="me/dlmodules/abc", finish=lambda **_: None)
    api = SimpleNamespace(run=lambda path: SimpleNamespace(delete=lambda: deleted.append(path)))
    monkeypatch.setattr("wandb.Api", lambda: api)
    remove_failed_start(MadeFolder(tmp_path / "version_0", ()), trainer)
    assert deleted == ["me/dlmodules/abc"]
