"""What W&B holds of a run: its labels, the best of its metrics, and one run of all its processes."""

import json
import os
import subprocess
import sys
import warnings

import pytest

import dlmodules
from callbacks.run.directions import DIRECTIONS, NO_BEST, direction_of
from callbacks.run.loggers import RunWandbLogger
from callbacks.run.run_summary import STEP, RunSummary
from dlmodules.protocols import HasBestMetric
from tests.callbacks.wandb_server import KEY, wandb_server

# Each list of rows is what one process logs. A folder's name has the second of its start.
PROCESSES = """
import json, sys, time
from callbacks.run.loggers import RunCSVLogger, RunWandbLogger

folder = sys.argv[1]
for rows in json.loads(sys.argv[2]):
    loggers = [RunCSVLogger(folder), RunWandbLogger(folder, "abc", tags=["vaes"], job_type="fit")]
    for step, row in rows:
        for logger in loggers:
            logger.log_metrics(row, step)
    for logger in loggers:
        logger.finalize("success")
    time.sleep(1.1)
"""
FIT = [[10, {"val/loss": 3.0, "train/loss": 9.0}], [20, {"val/loss": 2.0, "epoch": 1}]]
RESUMED = [[30, {"val/loss": 2.5, "train/loss": 8.0}], [40, {"val/loss": 2.6, "epoch": 3}]]
TESTED = [[0, {"test/loss": 2.2, "epoch": 0}]]


def test_the_directions_are_those_by_which_the_modules_choose_their_best():
    chosen = {name: getattr(dlmodules, name) for name in dlmodules.__all__}
    metrics = {cls.best_metric for cls in chosen.values() if getattr(cls, "best_metric", None)}
    assert len(metrics) > 5
    assert isinstance(dlmodules.VAE, HasBestMetric)
    for metric, mode in metrics:
        assert direction_of(metric) == mode
    assert not NO_BEST & DIRECTIONS.keys()
    assert direction_of("train/loss") is direction_of("test/loss") is direction_of("val/kl") is None


def test_the_summary_of_a_run_that_goes_on_has_the_best_of_all_of_it(tmp_path):
    file = tmp_path / "metrics.csv"
    first = RunSummary(file)
    assert first.so_far() == first.after({"val/loss": 3.0}, 1) == {}
    file.write_text("step,epoch,val/loss,val/accuracy,train/loss\n10,0,3.0,0.5,9\n20,1,2.0,0.4,\n30,2,nan,,7\n")
    summary = RunSummary(file)
    before = {"val/loss": {"min": 2.0}, "val/accuracy": {"max": 0.5}, "train/loss": 7.0, STEP: 30.0, "epoch": 2.0}
    assert summary.so_far() == before
    here = {STEP: 40, "epoch": 2.0}
    assert summary.after({"val/loss": 5.0, "train/loss": 6.0}, 40) == {"val/loss": {"min": 2.0}, **here}
    assert summary.after({"val/loss": 1.0, "epoch": 3}, 50) == {"val/loss": {"min": 1.0}, STEP: 50, "epoch": 3}
    assert summary.after({"val/loss": 1.5}, 50)["val/loss"] == {"min": 1.0}
    assert summary.after({"test/loss": 1.5, "epoch": 0}, 0) == {STEP: 50, "epoch": 3}


class Closes:
    """A W&B run that refuses what comes after its end."""

    def __init__(self, **settings):
        self.settings, self.summary, self.defined, self.logged, self.finished = settings, {}, {}, [], False

    def define_metric(self, name, **options):
        self.defined[name] = options

    def log(self, metrics):
        assert not self.finished
        self.logged.append(metrics)

    def finish(self, exit_code):
        self.finished = True


def test_what_is_logged_after_the_end_of_a_fit_goes_on_with_the_run(tmp_path, monkeypatch):
    """So ``trainer.fit`` and ``trainer.test`` with the same logger."""
    runs = []
    monkeypatch.setattr("wandb.init", lambda **settings: runs.append(Closes(**settings)) or runs[-1])
    logger = RunWandbLogger(tmp_path / "mine" / "version_0", "abc", tags=["vaes"], job_type="fit")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logger.log_metrics({"val/loss": 2.0, "train/loss": 4.0}, 1)
        logger.log_metrics({"val/loss": 3.0}, 2)
        logger.finalize("success")
        logger.log_metrics({"test/loss": 2.5}, 0)
        logger.finalize("success")
    first, second = runs
    assert [first.settings[name] for name in ("tags", "group", "job_type")] == [["vaes"], "mine", "fit"]
    assert first.defined == {"val/loss": {"step_metric": STEP, "step_sync": True, "summary": "min"}}
    assert first.summary == {}  # W&B's own, as defined
    assert first.settings == second.settings
    assert second.summary == {"val/loss": {"min": 2.0}, "train/loss": 4.0, STEP: 2}
    assert second.logged == [{"test/loss": 2.5, STEP: 0}]


def test_off_is_off(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    logger = RunWandbLogger(tmp_path, "abc")
    logger.log_metrics({"val/loss": 2.0}, 1)
    logger.finalize("success")
    assert os.environ["WANDB_MODE"] == "disabled"
    assert list(tmp_path.iterdir()) == []


def run(*arguments, home, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    done = subprocess.run(
        [sys.executable, *arguments], env=clean | {"HOME": str(home)} | environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_fit_its_resume_and_its_test_are_synced_to_one_run(tmp_path):
    folder = tmp_path / "vae_digits" / "version_0"
    run("-c", PROCESSES, str(folder), json.dumps([FIT, RESUMED, TESTED]), home=tmp_path)
    offline = sorted((folder / "wandb").glob("offline-run-*"))
    assert len(offline) == 3
    with wandb_server() as (url, runs, _):
        # In any order: the client sorts them by the time of their start. What was synced is left out the next time.
        for folders in (offline[1::-1], offline):
            command = ["-m", "wandb", "sync", *map(str, folders)]
            run(*command, home=tmp_path, WANDB_BASE_URL=url, WANDB_API_KEY=KEY)
    synced = runs.pop("abc")
    assert not runs
    assert (synced.fields["tags"], synced.fields["groupName"], synced.fields["jobType"]) == (
        ["vaes"],
        "vae_digits",
        "fit",
    )
    assert synced.fields["displayName"] == "vae_digits/version_0"
    lines = [synced.history[index] for index in sorted(synced.history)]
    assert [line["_step"] for line in lines] == [0, 1, 2, 3, 4]
    assert [line.get("val/loss") for line in lines] == [3.0, 2.0, 2.5, 2.6, None]
    assert synced.summary["val/loss"] == {"min": 2.0}
    assert (synced.summary["train/loss"], synced.summary["test/loss"]) == (8.0, 2.2)
    assert (synced.summary[STEP], synced.summary["epoch"]) == (40, 3)
