"""A run without a configuration file has the pictures and the budget of its family."""

import json
import re

import pytest
import yaml

import callbacks
import datamodules
import dlmodules
from dlmodules_cli.family_defaults import BY_CLASS, BY_FAMILY, defaults_of, with_defaults
from dlmodules_cli.main import main
from dlmodules_cli.systems import systems

VAE = ["fit", "--model", "dlmodules.VAE", "--data", "datamodules.DigitsDataModule"]
LOGGED = "--trainer.log_every_n_steps=10"
QUICK = [
    *["--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"],
    *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"],
]


def added(args):
    found, line = with_defaults(args)
    return [arg for arg in found if arg not in args], line


def test_pictures_and_budget_are_added_and_a_line_says_so():
    options, line = added(VAE)
    assert options[0] == "--trainer.max_epochs=30"
    assert options[2:] == [LOGGED]  # an epoch of the digits has 11 steps, and Lightning would log each 50th
    pictures = json.loads(options[1].removeprefix("--trainer.callbacks="))
    assert [entry["class_path"] for entry in pictures] == [
        "callbacks.Reconstructions", "callbacks.LatentMap", "callbacks.SampleGrid", "callbacks.LossCurve",
    ]  # fmt: skip
    assert line == (
        "without a configuration file VAE trains for 30 epochs (--trainer.max_epochs changes that) and draws"
        " Reconstructions, LatentMap, SampleGrid, LossCurve (--trainer.callbacks changes that; [] draws nothing)"
    )


def test_what_is_said_holds():
    assert added([*VAE, "--trainer.max_steps=3"])[0][0].startswith("--trainer.callbacks=")
    assert added([*VAE, "--trainer.max_time", "00:00:01:00"])[0][0].startswith("--trainer.callbacks=")
    assert added([*VAE, "--trainer.callbacks", "[]"])[0] == ["--trainer.max_epochs=30", LOGGED]
    assert added([*VAE, "--trainer.callbacks=[]", "--trainer.log_every_n_steps", "7"])[0] == ["--trainer.max_epochs=30"]
    assert added([*VAE, "--trainer.callbacks+=callbacks.SampleGrid"])[0] == ["--trainer.max_epochs=30", LOGGED]
    for whole in (
        [*VAE, "--trainer.callbacks=[]", "--trainer.max_epochs=2"],
        [*VAE, "--config", "x.yaml"],
        [*VAE, "--config=x.yaml"],
        [*VAE, "--trainer", "x.yaml"],
        [*VAE, "--trainer.fast_dev_run", "true"],
        ["test", *VAE[1:]],
        ["fit", "--model", "pytorch_lightning.LightningModule"],
        ["fit", "--model", "nothing_here.Net"],
        ["fit", "--help"],
    ):
        assert with_defaults(whole) == (whole, None)


def test_every_system_has_defaults_and_a_subclass_has_those_of_its_base():
    families = {system.family for system in systems()}
    assert set(BY_FAMILY) == families
    assert set(BY_CLASS) <= {system.name for system in systems()}
    for system in systems():
        found = defaults_of(system.module)
        assert found == defaults_of(type("Mine", (system.module,), {"__module__": "mine"}))
        assert all(name in callbacks.__all__ for name in found.pictures)
    assert defaults_of(dlmodules.NaiveBayes, datamodules.WrodlDataModule).pictures.keys() == {"RowPictures"}
    assert defaults_of(dlmodules.BoxDensity, datamodules.LandDataModule).pictures.keys() == {"BoxPicture"}
    assert defaults_of(dlmodules.DQN).budget.options == {"max_epochs": -1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "pictures"),
    [
        (["--model", "DCGAN", "--model.width", "0.1", "--data", "DigitsDataModule"], {"samples", "curve"}),
        (["--model", "VAE", "--data", "DigitsDataModule"], {"samples", "curve", "reconstructions", "latent_map"}),
        (["--model", "MLPClassifier", "--data", "DigitsDataModule"], {"curve"}),
        (["--model", "RBM", "--data", "DigitsDataModule"], {"samples", "weights", "reconstructions"}),
        (["--model", "NaiveBayes", "--data", "WrodlDataModule"], {"row_pictures"}),
        (["--model", "DQN", "--data", "EnvironmentDataModule", "--data.total_steps", "256",
          "--data.steps_per_epoch", "128", "--data.eval_episodes", "1"], {"episode"}),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)  # fmt: skip
def test_the_run_draws_them(tmp_path, capsys, arguments, pictures):
    budget = [] if "DQN" in arguments else ["--trainer.max_epochs", "1"]
    main(["fit", *arguments, *QUICK, *budget, "--trainer.default_root_dir", str(tmp_path)])
    (folder,) = tmp_path.glob("*/version_0")
    drawn = {re.sub(r"-\d+$", "", path.stem) for path in (folder / "media").iterdir()}
    assert all(any(picture in name for name in drawn) for picture in pictures), drawn
    assert "without a configuration file" in capsys.readouterr().out
    saved = yaml.safe_load((folder / "config.yaml").read_text())["trainer"]
    assert saved["callbacks"]
    assert saved["max_epochs"] == (1 if budget else -1)
