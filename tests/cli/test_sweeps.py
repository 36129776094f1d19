"""The sweeps in ``configs/sweeps``: their commands, as the agent of W&B builds them, run on small data."""

import csv

import pytest
import yaml

from callbacks.run.directions import direction_of
from dlmodules_cli.configs import SWEEPS, all_configs, config_root
from dlmodules_cli.main import main
from dlmodules_cli.runs import run_id
from dlmodules_cli.systems import systems
from tests.systems.cases import CASES, newest, options, small_arguments

FILES = sorted((config_root() / SWEEPS).glob("*.yaml"))
every_sweep = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_every_family_has_a_sweep():
    assert [file.stem for file in FILES] == sorted({system.family for system in systems()})
    assert not set(FILES) & set(all_configs())


def words_of(sweep, last):
    """The command of a trial with the first or the last of all values, in the words of ``wandb agent``."""
    # Private, but it is what the agent calls.
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    values = {
        name: {"value": space["values"][-last] if "values" in space else space["max" if last else "min"]}
        for name, space in sweep["parameters"].items()
    }
    given = {"env": ["/usr/bin/env"], "program": [sweep["program"]]}
    given |= {"args": create_sweep_command_args({"args": values})["args"]}
    return [
        word
        for part in create_sweep_command(list(sweep["command"]))
        for word in (given[part[2:-1]] if part.startswith("${") else [part])
    ]


@every_sweep
@pytest.mark.parametrize("last", [0, 1], ids=["first", "last"])
def test_its_command_parses(file, last, capsys):
    env, program, *words = words_of(yaml.safe_load(file.read_text()), last)
    assert (env, program, words[0]) == ("/usr/bin/env", "dlmodules", "fit")
    with pytest.raises(SystemExit) as stop:
        main([*words, "--print_config"])
    assert stop.value.code == 0, capsys.readouterr().err


@every_sweep
@pytest.mark.slow
def test_a_trial_trains_and_logs_what_the_sweep_looks_at(file, tmp_path):
    sweep = yaml.safe_load(file.read_text())
    words = words_of(sweep, 0)[2:]
    case = next(case for case in CASES if case.config.stem == words[2])
    assert case.config.parent.name == file.stem
    given = {word.partition("=")[0].removeprefix("--model.") for word in words[3:]}
    small = {name: value for name, value in small_arguments(case.module).items() if name not in given}
    main([
        *[*words, *case.data_options, *options("model", small)],
        *["--trainer.default_root_dir", str(tmp_path), "--trainer.accelerator", "cpu", "--trainer.max_steps", "2"],
        *["--trainer.callbacks", "null", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"],
        *["--trainer.check_val_every_n_epoch", "1", "--trainer.enable_progress_bar", "false"],
    ])  # fmt: skip
    with open(newest(tmp_path, case.config.stem) / "metrics.csv", newline="") as opened:
        logged = csv.DictReader(opened).fieldnames
    metric = sweep.get("metric")
    assert (metric is None) == (file.stem == "gans")
    if metric is not None:
        assert metric["name"] in logged
        # A sweep is decided on validation data, and in the direction that the metric has.
        assert metric["goal"] == {"min": "minimize", "max": "maximize"}[direction_of(metric["name"])]


def test_the_agent_of_a_sweep_names_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_ID", "chosen")
    assert run_id(tmp_path) != "chosen"
    (tmp_path / "run_id").unlink()
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    assert run_id(tmp_path) == "chosen"
    monkeypatch.delenv("WANDB_SWEEP_ID")
    assert run_id(tmp_path) == "chosen"
