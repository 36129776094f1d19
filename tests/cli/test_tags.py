"""How a run is labelled for W&B."""

import shutil

import pytest

import dlmodules
from callbacks.run.loggers import RunWandbLogger
from dlmodules_cli import cli
from dlmodules_cli.configs import config_root
from dlmodules_cli.main import main
from dlmodules_cli.systems import systems
from dlmodules_cli.tags import tags_of

SMALL = [
    *["--config", "mlp_digits", "--trainer.callbacks", "null", "--trainer.enable_progress_bar", "false"],
    *["--trainer.limit_val_batches", "1", "--trainer.limit_test_batches", "1"],
]


class Own(dlmodules.VAE):
    """A user's."""


def test_a_system_has_its_family_and_its_books():
    assert tags_of(dlmodules.VAE) == ["vaes", "atienza", "foster", "vasilev"]
    assert tags_of(Own) == tags_of(dlmodules.VAE)
    assert tags_of(dlmodules.VAE, [config_root() / "vaes" / "vae_digits.yaml"]) == ["vaes", "atienza"]
    assert tags_of(dlmodules.VAE, [config_root() / "none.yaml"]) == tags_of(dlmodules.VAE)
    assert tags_of(dict) == []
    for system in systems():
        for config in system.configs:
            family, *books = tags_of(system.module, [config_root() / config])
            assert family == system.family
            # The stages of a world model lie together.
            assert config.parts[0] in (system.family, "world_models")
            assert len(books) == 1


@pytest.fixture
def labels(monkeypatch):
    """The arguments of each W&B run that was asked for."""
    found = []

    class Watched(RunWandbLogger):
        def __init__(self, folder, run_id, **labels):
            super().__init__(folder, run_id, **labels)
            found.append((run_id, labels["tags"], self._wandb_init["group"], labels["job_type"]))

    monkeypatch.setattr(cli, "RunWandbLogger", Watched)
    return found


@pytest.mark.slow
def test_a_run_is_labelled_by_system_configuration_and_command(tmp_path, labels):
    root = ["--trainer.default_root_dir", str(tmp_path)]
    main(["fit", *SMALL, *root, "--trainer.max_steps", "2"])
    checkpoint = tmp_path / "mlp_digits" / "version_0" / "checkpoints" / "last.ckpt"
    main(["fit", *SMALL, *root, "--trainer.max_steps", "3", "--ckpt_path", str(checkpoint)])
    # The test of a run's checkpoint is a part of the run; of a checkpoint from elsewhere it is one of its own.
    main(["test", *SMALL, *root, "--ckpt_path", str(checkpoint)])
    shutil.copy(checkpoint, tmp_path / "elsewhere.ckpt")
    main(["test", *SMALL, *root, "--ckpt_path", str(tmp_path / "elsewhere.ckpt")])
    tags = ["classifiers", "atienza"]
    fit = (labels[0][0], tags, "mlp_digits", "fit")
    assert labels[:3] == [fit, fit, fit]
    assert labels[3][0] != labels[0][0]
    assert labels[3][1:] == (tags, "mlp_digits", "test")


@pytest.mark.slow
def test_a_logger_that_is_added_stands_beside_those_of_the_run(tmp_path, labels):
    root = ["--trainer.default_root_dir", str(tmp_path), "--trainer.max_steps", "10"]
    mine = ["CSVLogger", "--trainer.logger.save_dir", str(tmp_path / "mine")]
    main(["fit", *SMALL, *root, "--trainer.logger", *mine])
    assert labels == []
    assert not (tmp_path / "mlp_digits" / "version_0" / "metrics.csv").exists()
    main(["fit", *SMALL, *root, f"--trainer.logger+={mine[0]}", *mine[1:]])
    assert len(labels) == 1
    for folder in ("mlp_digits/version_1", "mine/lightning_logs/version_0", "mine/lightning_logs/version_1"):
        assert (tmp_path / folder / "metrics.csv").is_file()
