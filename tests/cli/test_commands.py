"""The commands as a user types them."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from pytorch_lightning.cli import LightningCLI

from dlmodules_cli.configs import find_config
from dlmodules_cli.main import main
from dlmodules_cli.runs import find_checkpoint, new_run_folder, one_run_folder, provenance, versions

FIT = [
    *["fit", "--model", "VAE", "--data", "DigitsDataModule", "--data.batch_size", "16", "--trainer.max_epochs", "1"],
    *["--trainer.limit_train_batches", "3", "--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"],
    *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"],
]


def test_systems_lists_class_configs_paper_and_ids(capsys):
    main(["systems", "--long"])
    text = capsys.readouterr().out
    for part in (
        "MLPClassifier",
        "vaes",
        "configs/vaes/vae_mnist.yaml",
        "(atienza 8.1.2)",
        "lab L8",
        "arXiv:1511.06434",
    ):
        assert part in text


def test_print_config_round_trips(capsys, tmp_path):
    command = ["fit", "--config", "configs/gans/dcgan_mnist.yaml", "--model.width", "0.5", "--print_config"]
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["model"]["init_args"]["width"] == 0.5
    path = tmp_path / "printed.yaml"
    path.write_text(printed)
    with pytest.raises(SystemExit):
        main(["fit", "--config", str(path), "--print_config"])
    assert yaml.safe_load(capsys.readouterr().out) == yaml.safe_load(printed)


def test_a_run_leaves_its_folder_and_test_and_predict_go_on_in_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(FIT)
    folder = tmp_path / "runs" / "VAE-Digits" / "version_0"
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    saved = (folder / "config.yaml").read_text()
    assert re.search(r"^# torch: \d", saved, re.MULTILINE)
    assert "run folder" in capsys.readouterr().out
    for command in ("validate", "test", "predict"):
        main(
            [command, "--config", str(folder / "config.yaml"), "--ckpt_path", str(folder / "checkpoints" / "last.ckpt")]
        )
    assert [path.name for path in folder.parent.iterdir()] == ["version_0"]
    assert (folder / "config.yaml").read_text() == saved
    assert "test/elbo" in (folder / "metrics.csv").read_text().splitlines()[0]


def test_with_a_checkpoint_go_its_arguments_but_those_of_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main([*FIT, "--model.latent_dim", "3", "--model.beta", "2"])
    folder = tmp_path / "runs" / "VAE-Digits" / "version_0"
    last = ["--ckpt_path", str(folder / "checkpoints" / "last.ckpt")]
    for more, beta in (([], 2.0), (["--model.beta=5"], 5.0)):
        main(["test", "--config", "configs/vaes/vae_digits.yaml", *last, *more, "--trainer.limit_test_batches", "1"])
        with (folder / "metrics.csv").open() as file:
            row = [row for row in csv.DictReader(file) if row["test/loss"]][-1]
        loss, reconstruction, kl = (float(row[f"test/{name}"]) for name in ("loss", "reconstruction", "kl"))
        assert loss == pytest.approx(reconstruction + beta * kl, rel=1e-5)


def test_a_users_callback_list_keeps_resume_and_checkpoints(tmp_path):
    main(
        [
            *FIT,
            "--trainer.default_root_dir",
            str(tmp_path),
            "--trainer.callbacks",
            "[{class_path: callbacks.SampleGrid}]",
        ]
    )
    saved = torch.load(tmp_path / "VAE-Digits" / "version_0" / "checkpoints" / "last.ckpt", weights_only=True)
    assert "random_states" in saved


def test_sample_is_repeatable_by_seed(tmp_path):
    main([*FIT, "--trainer.default_root_dir", str(tmp_path)])
    path = tmp_path / "VAE-Digits" / "version_0" / "checkpoints" / "last.ckpt"

    def draw(seed, name):
        main(["sample", "--ckpt_path", str(path), "--output", str(tmp_path / name), "--num", "4", "--seed", seed])
        found = np.load(tmp_path / name / "samples.npz")
        assert set(found.files) == {"samples"}
        return found["samples"]

    first = draw("1", "a")
    assert first.shape == (4, 1, 28, 28)
    assert np.array_equal(first, draw("1", "b"))
    assert not np.array_equal(first, draw("2", "c"))


def test_own_class_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import dlmodules\n\n\nclass MyVAE(dlmodules.VAE):\n"
        "    def __init__(self, strength: float = 2.0):\n        super().__init__(latent_dim=3)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    command = [arg if arg != "VAE" else "mine.MyVAE" for arg in FIT]
    main([*command, "--model.strength", "3"])
    path = next(tmp_path.glob("runs/*/version_0/checkpoints/last.ckpt"))
    main(["sample", "--ckpt_path", str(path), "--output", "out", "--num", "2", "--imports", "[mine]"])
    assert np.load(tmp_path / "out" / "samples.npz")["samples"].shape[0] == 2


def test_run_folders_are_numbered_and_shared_by_the_processes_of_a_run(tmp_path):
    with one_run_folder():
        first = new_run_folder(tmp_path, "x")
        assert new_run_folder(tmp_path, "x") == first  # as a process for a second device asks
    with one_run_folder():
        second = new_run_folder(tmp_path, "x")
    (tmp_path / "x" / "version_10").mkdir()
    assert [path.name for path in versions(tmp_path / "x")] == ["version_0", "version_1", "version_10"]
    assert (first.name, second.name) == ("version_0", "version_1")
    (first / "checkpoints").mkdir()
    (first / "checkpoints" / "last.ckpt").write_text("")
    assert find_checkpoint("last", tmp_path, "x") == first / "checkpoints" / "last.ckpt"


def test_configs_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert yaml.safe_load(Path(find_config("configs/vaes/vae_mnist.yaml")).read_text())["trainer"]["max_epochs"] == 30


def test_provenance_is_the_same_whatever_a_caller_does_to_it():
    provenance().clear()
    assert "torch" in provenance()


def test_the_private_hook_that_reads_a_checkpoints_arguments_is_still_there():
    assert callable(LightningCLI._parse_ckpt_path)
