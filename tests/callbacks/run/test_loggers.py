"""The run folder's CSV file, and W&B offline, missing and broken."""

import csv
import json
import os
import subprocess
import sys
import warnings

import pytest

from callbacks.run.loggers import RunCSVLogger, RunWandbLogger, wandb_is_online


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_values_of_a_step_share_a_row_and_new_metrics_widen_the_file(tmp_path):
    logger = RunCSVLogger(tmp_path / "run", flush_every=1)
    logger.log_metrics({"train/loss": 2.0}, step=0)
    logger.log_metrics({"lr": 0.1}, step=0)
    logger.log_metrics({"train/loss": 1.0}, step=1)
    logger.log_metrics({"val/loss": 3.0}, step=1)
    logger.save()
    assert rows(logger.file) == [
        {"step": "0", "train/loss": "2.0", "lr": "0.1", "val/loss": ""},
        {"step": "1", "train/loss": "1.0", "lr": "", "val/loss": "3.0"},
    ]
    assert logger.save_dir == str(tmp_path / "run")


def test_a_resumed_run_goes_on_in_the_same_file_without_the_rows_past_its_checkpoint(tmp_path):
    first = RunCSVLogger(tmp_path)
    for step in range(5):
        first.log_metrics({"train/loss": float(step)}, step)
    first.finalize("success")
    second = RunCSVLogger(tmp_path)
    second.rewind(2)
    second.log_metrics({"train/loss": 30.0}, 3)
    second.finalize("success")
    assert [(row["step"], row["train/loss"]) for row in rows(second.file)] == [
        ("0", "0.0"), ("1", "1.0"), ("2", "2.0"), ("3", "30.0"),
    ]  # fmt: skip


def test_online_only_with_a_key(monkeypatch, tmp_path):
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not wandb_is_online()
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password key\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert wandb_is_online()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert not wandb_is_online()
    monkeypatch.setenv("WANDB_API_KEY", "key")
    assert wandb_is_online()
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert not wandb_is_online()


def test_what_breaks_in_wandb_is_said_once_and_stops_nothing(tmp_path, monkeypatch):
    import wandb

    def broken(**_):
        raise RuntimeError("no server\nand a long story")

    monkeypatch.setattr(wandb, "init", broken)
    logger = RunWandbLogger(tmp_path, "abc")
    with pytest.warns(UserWarning, match=r"failed \(no server\); this run goes on without it"):
        logger.log_metrics({"train/loss": 1.0}, step=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logger.log_metrics({"train/loss": 1.0}, step=1)
        logger.log_hyperparams({"a": 1})
        logger.log_image("picture", [None], step=1)
        logger.experiment.config.update({"b": 2})
        logger.finalize("success")


TRAIN = [
    *["fit", "--model", "VAE", "--data", "DigitsDataModule", "--data.batch_size", "16", "--trainer.max_epochs", "1"],
    *["--trainer.limit_train_batches", "6", "--trainer.limit_val_batches", "2", "--trainer.log_every_n_steps", "2"],
    *["--trainer.enable_progress_bar", "false", "--trainer.callbacks+=callbacks.SampleGrid"],
]


def train(root, tmp_path, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    return subprocess.run(
        [sys.executable, str(root / "train.py"), *TRAIN, "--trainer.default_root_dir", str(tmp_path / "runs")],
        env=clean | {"OMP_NUM_THREADS": "1", "HOME": str(tmp_path)} | environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_an_offline_run_holds_config_curves_pictures_and_summary(tmp_path, request):
    from tests.callbacks.offline_wandb import records

    done = train(request.config.rootpath, tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "VAE-Digits" / "version_0"
    found = records(folder)
    run = next(record.run for record in found if record.HasField("run"))
    assert run.run_id == (folder / "run_id").read_text().strip()
    assert (run.tags[0], run.run_group, run.job_type) == ("vaes", "VAE-Digits", "fit")
    config = {}
    for record in found:
        updates = [*record.run.config.update, *record.config.update]
        config |= {update.key or "/".join(update.nested_key): json.loads(update.value_json) for update in updates}
    assert config["latent_dim"] == 2
    assert config["data"]["init_args"]["batch_size"] == 16
    assert "torch" in config["provenance"]
    history: dict[str, list] = {}
    for record in found:
        for item in record.history.item:
            key = item.key or "/".join(item.nested_key)
            history.setdefault(key, []).append(json.loads(item.value_json))
    assert history["trainer/global_step"] == sorted(history["trainer/global_step"])
    assert len(history["train/elbo"]) == 3
    assert history["val/elbo"][0] < 0
    best = [json.loads(item.value_json) for record in found for item in record.summary.update
            if list(item.nested_key) == ["val/loss"]]  # fmt: skip
    assert best[-1] == {"min": min(history["val/loss"])}
    pictures = list(folder.glob("wandb/offline-run-*/files/media/images/samples*.png"))
    assert len(pictures) == len(list((folder / "media").glob("samples*.png"))) > 0
    assert any(record.HasField("summary") or record.HasField("exit") for record in found)
    assert any(record.HasField("exit") for record in found)  # it was closed


@pytest.mark.slow
def test_training_without_wandb_installed(tmp_path, request):
    (tmp_path / "wandb.py").write_text("raise ModuleNotFoundError('No module named wandb')\n")
    done = train(request.config.rootpath, tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "VAE-Digits" / "version_0" / "checkpoints" / "last.ckpt").is_file()
