"""A mistake of the user ends in one clear line and exit code 2, and loses nothing."""

import errno
import os
import re

import pytest
import torch
from lightning_fabric.loggers import tensorboard
from torch.multiprocessing import ProcessRaisedException

from dlmodules.errors import UserError
from dlmodules_cli.errors import run
from dlmodules_cli.main import main
from tests.systems.test_ladder import checkpoint, same

SMALL = ["--data", "DigitsDataModule", "--data.batch_size", "8", "--trainer.limit_val_batches", "1"]
QUIET = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]


@pytest.fixture
def mistake(tmp_path, capsys):
    """Run a command that must fail, and return its one line."""

    def run(*arguments, root=tmp_path):
        command = list(arguments)
        if command and command[0] in ("fit", "validate", "test", "predict"):
            # First, so that what a case says of the trainer comes later and holds.
            command[1:1] = [*QUIET, "--trainer.default_root_dir", str(root), "--trainer.enable_model_summary", "false"]
        with pytest.raises(SystemExit) as stop:
            main(command)
        assert stop.value.code == 2
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        return errors[0].removeprefix("error: ")

    return run


def fit(root, *more, model="MLPClassifier"):
    settings = ["--trainer.enable_model_summary", "false", "--trainer.max_epochs", "2"]
    settings += ["--trainer.limit_train_batches", "4", "--trainer.default_root_dir", str(root)]
    main(["fit", "--model", model, *SMALL, *QUIET, *settings, *more])
    return next(root.glob("*/version_0"))


VAE = ["fit", "--model", "VAE", *SMALL]
MLP = ["fit", "--model", "MLPClassifier", *SMALL]
GAN = ["fit", "--model", "DCGAN", *SMALL]
STACKED = ["fit", "--model", "StackedGAN", *SMALL, "--model.width", "0.1", "--model.encoder_epochs", "0"]
TWO_GRIDS = ["--trainer.callbacks+=callbacks.SampleGrid"] * 2
PLAY = ["fit", "--model", "DQN", "--data", "EnvironmentDataModule"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fti"], "there is no command 'fti' (did you mean fit?)"),
        (["fit"], "--data and --model must be given"),
        (["fit", "--model", "VEA", *SMALL], "there is no class VEA (did you mean VAE?)"),
        (["fit", "--model", "VAE", "--data", "DigitDataModule"], "did you mean DigitsDataModule"),
        ([*VAE, "--model.latentdim", "3"], "VAE has no argument latentdim (did you mean latent"),
        ([*VAE, "--data.batchsize", "3"], "DigitsDataModule has no argument batchsize"),
        ([*VAE, "--trainer.max_epocs", "3"], "the trainer has no argument max_epocs (did you mean max"),
        ([*VAE, "--model.latent_dim", "two"], "latent_dim: expected int, got two"),
        ([*VAE, "--model.latent_dim", "0"], "latent_dim is 0"),
        (["fit", "--model", "VAE", "--data", "ImageFolderDataModule"], "--data.folder must be given"),
        ([*VAE, "--model.optimizer.lr=-1"], "RMSprop: Invalid learning rate: -1.0; its arguments are options such as"),
        ([*VAE, "--model.optimizer.lr=fast"], "lr: expected float, got fast"),
        ([*VAE, "--model.beta", "-1"], "beta is -1"),
        ([*MLP, "--model.dropout", "1.5"], "dropout is 1.5"),
        ([*VAE, "--data.image_size", "32"], "the images are [1, 32, 32] but VAE was built for [1, 28"),
        ([*VAE, "--data.channels", "3"], "the images are [3, 28, 28] but VAE"),
        ([*MLP, "--data.image_size", "16"], "but MLPClassifier was built for"),
        ([*GAN, "--model.noise", "gaussian"], "noise: expected one of 'uniform', 'normal', got gaussian"),
        ([*GAN, "--data.image_size", "32"], "but DCGAN was built for"),
        ([*GAN, "--model.image_shape", "[1,30,30]"], "multiple of 4"),
        ([*GAN, "--model.image_shape", "[28,28]"], "image_shape is [28, 28]; it must be channels, height and width"),
        ([*GAN, "--model.image_shape", "[3,28,28]"], "'[1, 28, 28]' or load the data with --data.channels 3"),
        ([*STACKED, "--model.image_shape", "[1,30,30]"], "multiple of 4"),
        ([*STACKED, "--data.batch_size", "1"], "cannot train on a batch of 1: set --data.batch_size to 2 or more"),
        ([*MLP, "--model.num_classes", "5"], "a label is outside 0..4"),
        (["fit", "--config", "configs/vaes/vae_digit.yaml"], "no configuration at configs/vaes/vae_digit.yaml"),
        ([*PLAY, "--data.env_id", "CartPol-v1"], "no environment CartPol-v1"),
        ([*PLAY[:3], *SMALL], "DQN learns by acting in an environment, but DigitsDataModule gives batches"),
        ([*VAE, *PLAY[3:]], "VAE needs images, but EnvironmentDataModule gives an environment, for an agent"),
        ([*MLP, *PLAY[3:]], "MLPClassifier needs batches of inputs, but Env"),
        (["fit", "--model", "VAE", "--data", "IrisDataModule"], "VAE takes images (channels, height, width)"),
        (["fit", "--model", "TextClassifier", *SMALL], "token ids (B, T), but the data give images [1, "),
        ([*VAE, *TWO_GRIDS], "two callbacks of the trainer are the same: leave one out"),
        ([*VAE, "--ckpt_path", "nowhere.ckpt"], "there is no checkpoint nowhere.ckpt"),
        ([*VAE, "--ckpt_path", "last"], "--ckpt_path last: no run in"),
        (["sample", "--ckpt_path", "nowhere.ckpt", "--output", "out"], "there is no checkpoint nowhere.ckpt"),
        (["sample", "--output", "out"], "--ckpt_path must be given"),
        (["sample", "--ckpt_path", "x", "--output", "out", "--num", "0"], "--num is 0"),
    ],
)  # fmt: skip
def test_one_line_names_the_mistake(mistake, arguments, expected):
    assert expected in mistake(*arguments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_no_gpu(mistake):
    line = mistake("fit", "--model", "VAE", *SMALL, "--trainer.accelerator", "gpu")
    assert "gpu" in line


class MissingPackage:
    def __bool__(self):
        return False

    def __str__(self):
        return "Requirement 'tensorboard' not met. HINT: Try running `pip install -U 'tensorboard'`"


def test_a_logger_whose_package_is_missing(mistake, tmp_path, monkeypatch):
    for name in ("_TENSORBOARDX_AVAILABLE", "_TENSORBOARD_AVAILABLE"):  # whether they are installed or not
        monkeypatch.setattr(tensorboard, name, MissingPackage())
    more = ["--trainer.logger+=TensorBoardLogger", "--trainer.logger.save_dir", str(tmp_path / "tb")]
    assert mistake(*VAE, *more) == "TensorBoardLogger needs a package: pip install tensorboard"
    assert not list(tmp_path.iterdir())


def test_a_typing_error_in_a_config_is_named(mistake, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "model: {class_path: dlmodules.VAE, init_args: {latentdim: 3}}\n"
        "data: {class_path: datamodules.DigitsDataModule}\n"
    )
    assert "VAE has no argument latentdim (did you mean latent_dim?)" in mistake("fit", "--config", str(path))
    path.write_text("model: {class_path: VAE\n")
    assert "own.yaml" in mistake("fit", "--config", str(path))
    path.write_text("modle: {class_path: VAE}\n")
    assert "did you mean model?" in mistake("fit", "--config", str(path))


def test_missing_data_names_the_offline_stand_in(mistake, tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setenv("DLMODULES_DATA", str(tmp_path / "nothing"))
    line = mistake("fit", "--config", "configs/classifiers/mlp_mnist.yaml")
    assert "DigitsDataModule" in line
    assert "train-images-idx3-ubyte" in line


def test_a_run_folder_that_cannot_be_made(mistake, tmp_path):
    (tmp_path / "file").write_text("")
    line = mistake("fit", "--model", "MLPClassifier", *SMALL, root=tmp_path / "file" / "runs")
    assert "cannot make the run folder" in line
    assert "--trainer.default_root_dir" in line


def test_truncated_and_foreign_checkpoints(mistake, tmp_path):
    folder = fit(tmp_path)
    last = folder / "checkpoints" / "last.ckpt"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    assert "no readable checkpoint" in mistake("fit", "--model", "MLPClassifier", *SMALL, "--ckpt_path", str(last))
    assert "no readable checkpoint" in mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path))
    torch.save({"weights": torch.zeros(2)}, last)
    assert "no Lightning checkpoint" in mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path))
    torch.save({"state_dict": {}}, last)
    assert "does not say which module" in mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path))
    torch.save({"state_dict": {}, "hyper_parameters": {"_class_path": "os.path.join"}}, last)
    assert "no module known here" in mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path))
    last.write_bytes(b"")
    assert "no readable checkpoint" in mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path))


def test_pickled_code_in_a_checkpoint_is_not_run(mistake, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    path = tmp_path / "evil.ckpt"
    torch.save({"state_dict": {}, "hyper_parameters": Evil()}, path)
    assert "no readable checkpoint" in mistake("sample", "--ckpt_path", str(path), "--output", str(tmp_path))
    assert not (tmp_path / "ran").exists()


def test_checkpoint_of_another_module(mistake, tmp_path):
    last = fit(tmp_path) / "checkpoints" / "last.ckpt"
    line = mistake("fit", "--model", "VAE", *SMALL, "--ckpt_path", str(last))
    assert "a checkpoint of MLPClassifier, but the configuration names VAE" in line


def test_a_checkpoint_of_other_sizes(mistake, tmp_path):
    last = fit(tmp_path, model="VAE") / "checkpoints" / "last.ckpt"
    line = mistake("test", "--model", "VAE", *SMALL, "--ckpt_path", str(last), "--model.latent_dim", "5")
    assert line.startswith("the checkpoint does not fit the module (size mismatch for ")
    assert line.endswith("give no --model options that change its sizes")


def test_full_disk_keeps_the_checkpoint_before(mistake, tmp_path, monkeypatch):
    folder = fit(tmp_path)
    before = checkpoint(folder)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    line = mistake(
        *["fit", "--model", "MLPClassifier", *SMALL, "--trainer.max_epochs", "4", "--trainer.limit_train_batches", "4"],
        *["--ckpt_path", "last"],
    )
    assert "the disk is full" in line
    assert "the one before is intact" in line
    assert same(before["state_dict"], checkpoint(folder)["state_dict"])
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]


def test_nan_loss_stops_and_keeps_the_last_checkpoint(mistake, tmp_path):
    line = mistake(
        *["fit", "--model", "VAE", *SMALL, "--model.optimizer", "SGD", "--model.optimizer.lr", "1e30"],
        *["--trainer.callbacks+=callbacks.LastCheckpoint", "--trainer.callbacks.every_n_steps=1"],
        *["--trainer.max_epochs", "1"],
    )
    assert line.startswith("train/loss is")
    assert "at step 1" in line
    saved = checkpoint(next(tmp_path.glob("*/version_0")))
    assert saved["global_step"] == 1


def test_labels_for_an_unconditional_module(mistake, tmp_path):
    last = fit(tmp_path, model="VAE") / "checkpoints" / "last.ckpt"
    line = mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path / "out"), "--label", "3")
    assert line == "VAE is not conditional: leave --label out"


def test_labels_for_an_unconditional_gan(mistake, tmp_path):
    last = fit(tmp_path, "--trainer.max_steps", "1", model="GAN") / "checkpoints" / "last.ckpt"
    line = mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path / "out"), "--label", "3")
    assert line == "GAN is not conditional: leave --label out"


@pytest.mark.parametrize("optimizer", ["optimizer_d", "optimizer_g"])
def test_nan_loss_of_either_network(mistake, optimizer):
    line = mistake(
        *["fit", "--model", "GAN", *SMALL, f"--model.{optimizer}", "SGD", f"--model.{optimizer}.lr", "1e30"],
        *["--trainer.max_epochs", "1"],
    )
    assert re.match(r"train/[dg]_loss is (nan|-?inf) at step \d", line)
    assert "lower the learning rate or clip gradients" in line


def test_labels_for_a_module_of_rows(mistake, tmp_path):
    main(
        [
            *["fit", "--model", "NaiveBayes", "--data", "WrodlDataModule", *QUIET],
            *["--trainer.max_epochs", "1", "--trainer.default_root_dir", str(tmp_path)],
        ]
    )
    last = next(tmp_path.glob("*/version_0")) / "checkpoints" / "last.ckpt"
    line = mistake("sample", "--ckpt_path", str(last), "--output", str(tmp_path / "out"), "--label", "0")
    assert line == "NaiveBayes is not conditional: leave --label out"


def test_rows_for_a_table_of_too_many_combinations(mistake):
    line = mistake(
        "fit", "--model", "Multinomial", "--model.sizes", "[256, 256, 256, 256]", "--data", "WrodlDataModule"
    )
    assert "too many for a table of all: use NaiveBayes" in line


def test_a_mistake_is_found_among_what_a_parser_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """An argument of several types: jsonargparse names the first one's error as the cause, and keeps all in a list."""

    def raise_as_jsonargparse_does() -> None:
        exceptions: list[Exception] = [ValueError("Expected None"), UserError("a table too large")]
        raise ValueError("Does not validate against any of the Union subtypes") from exceptions[0]

    with pytest.raises(SystemExit) as caught:
        run(raise_as_jsonargparse_does)
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: a table too large\n"


def test_the_mistake_that_a_forked_process_found_is_the_line_and_its_bug_is_none(capsys):
    report = "\n\n-- Process 1 terminated with the following error:\nTraceback (most recent call last):\n  File ...\n"

    def raise_as_torch_does(last_line):
        raise ProcessRaisedException(report + last_line, error_index=1, error_pid=1)

    with pytest.raises(SystemExit) as caught:
        run(lambda: raise_as_torch_does("dlmodules.errors.UserError: set trainer.devices to 1\n"))
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: set trainer.devices to 1\n"
    with pytest.raises(ProcessRaisedException):
        run(lambda: raise_as_torch_does("ValueError: of a bug\n"))
