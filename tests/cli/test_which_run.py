"""Which run ``--ckpt_path last`` and ``best`` mean, and in which folder a run lies."""

import re

import pytest
import yaml

from dlmodules.errors import UserError
from dlmodules_cli.agreement import MODEL_ALONE, differences
from dlmodules_cli.main import main
from dlmodules_cli.runs import find_checkpoint, run_name

SMALL = [
    *["--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.limit_test_batches", "1"],
    *["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--trainer.callbacks", "[]"],
    *["--trainer.enable_model_summary", "false", "--data.batch_size", "8"],
]
DIGITS = ["--config", "configs/vaes/vae_digits.yaml", *SMALL]


def train(root, *more, epochs=1, command="fit"):
    limit = ["--trainer.max_epochs", str(epochs)]
    main([command, *DIGITS, "--trainer.default_root_dir", str(root), *limit, *more])


def refused(capsys, root, *more, **settings):
    with pytest.raises(SystemExit) as stop:
        train(root, *more, **settings)
    assert stop.value.code == 2
    return next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))


def test_last_is_the_newest_run_that_agrees_with_the_command(tmp_path, capsys):
    folder = tmp_path / "vae_digits"
    train(tmp_path, "--model.beta", "4")
    train(tmp_path, "--model.beta", "1")
    configs = [(folder / f"version_{i}" / "config.yaml").read_text() for i in (0, 1)]
    capsys.readouterr()

    train(tmp_path, "--model.beta", "4", "--ckpt_path", "last", "--trainer.log_every_n_steps", "1", epochs=2)
    path = folder / "version_0" / "checkpoints" / "last.ckpt"
    assert f"resuming {path} at step 2\n" in capsys.readouterr().out
    again = yaml.safe_load((folder / "version_0" / "config.yaml").read_text())
    assert again["model"]["init_args"]["beta"] == 4
    assert again["trainer"]["max_epochs"] == 2
    assert yaml.safe_load(configs[0])["model"] == again["model"]

    line = refused(capsys, tmp_path, "--model.beta", "9", "--ckpt_path", "last", epochs=3)
    assert f"no run in {folder} agrees with the command: version_1 has model.beta 1.0, you ask for 9.0;" in line
    last = folder / "version_1" / "checkpoints" / "last.ckpt"
    assert line.endswith(f"give --ckpt_path {last} to take it anyway")
    assert "data.batch_size 8, you ask for 16" in refused(
        capsys, tmp_path, "--model.beta", "1", "--data.batch_size", "16", "--ckpt_path", "last"
    )
    assert (folder / "version_1" / "config.yaml").read_text() == configs[1]
    assert sorted(path.name for path in folder.iterdir()) == ["version_0", "version_1"]

    train(tmp_path, "--model.beta", "1", "--data.batch_size", "16", "--ckpt_path", "last", command="test")
    assert f"taking {folder / 'version_1' / 'checkpoints' / 'last.ckpt'} at step 2\n" in capsys.readouterr().out


def test_a_run_without_validation_has_a_last_checkpoint_alone(tmp_path):
    checkpoints = tmp_path / "vae_digits" / "version_0" / "checkpoints"
    checkpoints.mkdir(parents=True)
    with pytest.raises(UserError, match=r"no run in .*vae_digits has a checkpoints/best.ckpt$"):
        find_checkpoint("best", tmp_path, "vae_digits")
    (checkpoints / "last.ckpt").touch()
    with pytest.raises(
        UserError, match=r"has a checkpoints/best.ckpt: they had no validation, so give --ckpt_path last$"
    ):
        find_checkpoint("best", tmp_path, "vae_digits")


SAVED = {
    "seed_everything": 0,
    "trainer": {"max_epochs": 3, "devices": "auto", "gradient_clip_val": None, "callbacks": None},
    "model": {
        "class_path": "dlmodules.VAE",
        "init_args": {
            "beta": 1.0,
            "channels": [8, 16],
            "gone": 1,
            "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.1}},
        },
    },
    "data": {"class_path": "datamodules.DigitsDataModule", "init_args": {"batch_size": 8, "num_workers": 0}},
}


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("trainer.max_epochs", 9, []),
        ("trainer.devices", 2, []),
        ("trainer.callbacks", ["x"], []),
        ("data.init_args.num_workers", 4, []),
        ("model.class_path", "dlmodules.vaes.vae.VAE", []),
        ("model.init_args.new", 4, []),
        ("trainer.gradient_clip_val", 0.5, ["trainer.gradient_clip_val None, you ask for 0.5"]),
        ("seed_everything", 1, ["seed_everything 0, you ask for 1"]),
        ("data.init_args.batch_size", 9, ["data.batch_size 8, you ask for 9"]),
        ("data.class_path", "datamodules.MNISTDataModule", ["data DigitsDataModule, you ask for MNISTDataModule"]),
        ("model.init_args.channels", [8], ["model.channels [8, 16], you ask for [8]"]),
        ("model.init_args.optimizer.init_args.lr", 1, ["model.optimizer.lr 0.1, you ask for 1"]),
        ("model.init_args.optimizer.class_path", "torch.optim.SGD", ["model.optimizer Adam, you ask for SGD"]),
        ("model.init_args.optimizer", None, ["model.optimizer Adam, you ask for None"]),
    ],
)
def test_what_of_a_configuration_counts(key, value, found):
    asked = yaml.safe_load(yaml.safe_dump(SAVED))
    *parents, last = key.split(".")
    inner = asked
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    del asked["model"]["init_args"]["gone"]
    assert differences(asked, SAVED) == found
    assert differences(asked, SAVED, MODEL_ALONE) == [one for one in found if one.startswith("model")]


def test_differences_have_an_order():
    asked = yaml.safe_load(yaml.safe_dump(SAVED))
    asked["model"]["init_args"] |= {"gone": 2, "channels": [4], "beta": 2.0}
    names = [difference.partition(" ")[0] for difference in differences(asked, SAVED)]
    assert names == ["model.beta", "model.channels", "model.gone"]


def test_a_run_without_its_configuration_agrees(tmp_path):
    checkpoint = tmp_path / "x" / "version_0" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert find_checkpoint("last", tmp_path, "x", SAVED) == checkpoint


def test_a_run_without_a_configuration_file_shares_no_folder_with_one(tmp_path, monkeypatch):
    folder = tmp_path / "runs" / "vae_digits" / "version_3"
    folder.mkdir(parents=True)
    (folder / "config.yaml").touch()
    monkeypatch.chdir(tmp_path)
    data = "datamodules.DigitsDataModule"
    names = [
        run_name(["configs/vaes/vae_digits.yaml"], "dlmodules.VAE", data),
        run_name(["configs/vaes/vae_digits.yaml", "fast.yaml"], "dlmodules.VAE", data),
        run_name([str(folder / "config.yaml")], "dlmodules.VAE", data),
        run_name([], "dlmodules.VAE", data),
        run_name([], "dlmodules.VAE", None),
    ]
    assert names == ["vae_digits", "vae_digits+fast", "vae_digits", "VAE-Digits", "VAE"]


def test_two_configurations_and_none_have_folders_of_their_own(tmp_path, capsys):
    more = tmp_path / "wide.yaml"
    more.write_text("model: {class_path: dlmodules.VAE, init_args: {beta: 3.0}}\n")
    train(tmp_path / "runs", "--config", str(more))
    plain = ["--model", "VAE", "--data", "DigitsDataModule", *SMALL, "--trainer.max_epochs", "1"]
    main(["fit", *plain, "--trainer.default_root_dir", str(tmp_path / "runs")])
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["VAE-Digits", "vae_digits+wide"]
    assert not re.search("error", capsys.readouterr().err)


def test_a_run_with_a_logger_of_its_own_has_its_configuration_too(tmp_path, capsys):
    loggerless = ["--trainer.logger", "false"]
    train(tmp_path, "--model.beta", "1", *loggerless)
    saved = yaml.safe_load((tmp_path / "vae_digits" / "version_0" / "config.yaml").read_text())
    assert saved["model"]["init_args"]["beta"] == 1
    assert "model.beta 1.0, you ask for 4.0" in refused(
        capsys, tmp_path, "--model.beta", "4", "--ckpt_path", "last", *loggerless
    )
