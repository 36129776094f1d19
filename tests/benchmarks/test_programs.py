import math
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from benchmarks.context import Context, run_command, run_here, sweep_variables
from benchmarks.instruments import clock
from benchmarks.pairs import summary
from benchmarks.programs import baselines, scores
from benchmarks.programs.scores import (
    episodes_until,
    mean_of_last_epoch,
    metrics_of_test,
    return_of_last,
    rise_of,
)
from benchmarks.record import read_record
from benchmarks.rows import ROWS
from datamodules.driving.frames import FramesDataset
from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.errors import UserError


def test_a_command_is_timed():
    assert 0.3 < run_command(["-c", "import time; time.sleep(0.3)"], Context()) < 30


def test_what_a_command_costs_is_not_how_long_it_takes():
    before = clock.seconds_of_children()
    wall = run_command(["-S", "-c", "import time; time.sleep(1)"], Context())
    assert 0 < clock.seconds_of_children() - before < wall / 2
    before = clock.seconds_of_children()
    run_command(["-S", "-c", "import time\nwhile time.process_time() < 0.3: pass"], Context())
    assert 0.3 <= clock.seconds_of_children() - before < 0.6


@pytest.mark.parametrize(("size", "least", "most"), [(0, 0.005, 0.05), (300, 0.295, 0.36)])
def test_the_peak_is_that_of_the_command_alone(tmp_path, size, least, most):
    # Not that of this process, which has torch in memory.
    result = tmp_path / "peak.txt"
    run_command(["-m", "benchmarks.instruments.peak", str(result), "-c", f"bytearray({size} * 2**20)"], Context())
    assert least < float(result.read_text()) < most


def test_a_command_gets_the_threads_and_no_run_folder_of_another(tmp_path, monkeypatch):
    monkeypatch.setenv("DLMODULES_RUN_FOLDER", "elsewhere")
    tell = "import os; print(os.environ.get('DLMODULES_RUN_FOLDER'), os.environ['OMP_NUM_THREADS'], os.environ['X'])"
    run_command(["-c", tell], Context(threads=2), tmp_path / "log", X="y")
    assert (tmp_path / "log").read_text() == "None 2 y\n"


def test_only_the_training_logs_as_the_run_of_a_sweep(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert sweep_variables() == {}
    monkeypatch.setenv("WANDB_SWEEP_ID", "s")
    monkeypatch.setenv("WANDB_RUN_ID", "r")
    tell = "import os; print([os.environ.get(f'WANDB_{name}') for name in ('SWEEP_ID', 'RUN_ID', 'MODE')])"
    run_command(["-c", tell], Context(), tmp_path / "log", **sweep_variables())
    run_command(["-c", tell], Context(), tmp_path / "log")
    assert (tmp_path / "log").read_text() == "['s', 'r', 'online']\n[None, None, 'offline']\n"


def test_the_training_accuracy_is_the_mean_of_the_last_epoch(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,train/accuracy,epoch,val/loss\n0,0.1,0,\n1,0.5,1,\n2,0.75,1,\n2,,1,0.3\n")
    assert mean_of_last_epoch(path, "train/accuracy") == 0.625


def test_a_failing_command_names_its_log(tmp_path):
    with pytest.raises(UserError, match=r"ended with code 3; see .*log"):
        run_command(["-c", "raise SystemExit(3)"], Context(), tmp_path / "log")


METRICS = """\
step,train/return,train/episodes,val/loss,test/loss,test/accuracy
10,200,60,,,
20,180,120,,,
30,195,140,0.3,,
40,210,150,,,
40,,,,0.25,0.5
40,,,,0.125,0.75
"""


def test_the_last_test_of_a_run_is_read(tmp_path):
    (tmp_path / "metrics.csv").write_text(METRICS)
    assert metrics_of_test(tmp_path / "metrics.csv") == {"test/loss": 0.125, "test/accuracy": 0.75}


def test_a_run_without_a_test_is_refused(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,val/loss\n1,0.3\n")
    with pytest.raises(UserError, match="no metrics of a test"):
        metrics_of_test(tmp_path / "metrics.csv")


def test_episodes_until_needs_a_hundred_episodes(tmp_path):
    (tmp_path / "metrics.csv").write_text(METRICS)
    assert episodes_until(tmp_path / "metrics.csv", 195.0) == 140
    assert episodes_until(tmp_path / "metrics.csv", 211.0) is None


def test_the_last_episodes_count_as_often_as_they_ended(tmp_path):
    (tmp_path / "metrics.csv").write_text("train/episodes,train/return,val/return\n100,10,\n,,7\n300,20,\n400,40,\n")
    assert return_of_last(tmp_path / "metrics.csv", 100) == 40
    assert return_of_last(tmp_path / "metrics.csv", 200) == 30
    assert return_of_last(tmp_path / "metrics.csv", 9_999) == 22.5  # 100 of 10, 200 of 20, 100 of 40


def test_a_rise_is_that_of_the_last_quarter_over_the_first(tmp_path):
    values = [1.0, 2.0, 0.0, 9.0, 9.0, 9.0, 4.0, 6.0, 100.0]
    rows = [f"{value}" for value in values] + [""]  # a row of training has none
    (tmp_path / "metrics.csv").write_text("val/return\n" + "\n".join(rows))
    assert rise_of(tmp_path / "metrics.csv", "val/return") == (6.0 + 100.0) / 2 - (1.0 + 2.0) / 2
    (tmp_path / "short.csv").write_text("val/return\n3.0\n5.0\n")
    assert rise_of(tmp_path / "short.csv", "val/return") == 2.0


def test_the_clock_counts_all_between_epochs_but_the_validation(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "process_time", lambda: now[0])
    timer = clock.EpochClock(str(tmp_path / "times.json"))

    class Trainer:
        datamodule = None

    def at(moment, hook):
        now[0] = moment
        getattr(timer, hook)(Trainer(), None)

    at(0, "on_validation_start")  # the sanity check
    at(5, "on_validation_end")
    at(10, "on_train_epoch_start")
    at(13, "on_validation_start")
    at(20, "on_validation_end")
    at(21, "on_train_epoch_start")
    at(23, "on_train_end")
    assert timer.seconds["fit"] == [4.0, 2.0]


def test_quick_records_lie_apart(tmp_path, monkeypatch):
    from benchmarks import run

    if not os.path.isdir(os.path.join(os.environ.get("DLMODULES_DATA", ""), "MNIST", "raw")):
        pytest.skip("needs MNIST in $DLMODULES_DATA")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert run.main(["speed_data", "--quick", "--work", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.rglob("*.json")] == ["speed_data-seed0.json"]
    path = tmp_path / "quick" / "records" / "speed" / "speed_data-seed0.json"
    assert path.is_file()
    found = read_record(path)
    assert found.hardware["threads"] == 1  # whatever the threads of the other rows
    assert found.details["clock"] == "processor"
    assert summary([tuple(pair) for pair in found.details["pairs"]]) == found.metrics


def test_what_takes_seconds_runs_in_this_process_and_leaves_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DLMODULES_RUN_FOLDER", "elsewhere")
    before, folder = dict(os.environ), os.getcwd()
    args = ["train.py", "fit", "--config", "configs/densities/naive_bayes_wrodl.yaml"]
    assert run_here([*args, "--trainer.default_root_dir", str(tmp_path)], Context(), tmp_path / "log") < 60
    assert (tmp_path / "naive_bayes_wrodl" / "version_0" / "checkpoints" / "last.ckpt").is_file()
    with pytest.raises(UserError, match=r"ended with code 2; see .*log"):
        run_here(["train.py", "fit", "--config", "configs/none.yaml"], Context(), tmp_path / "log")
    assert "no configuration at configs/none.yaml" in (tmp_path / "log").read_text()
    assert (dict(os.environ), os.getcwd()) == (before, folder)


def test_a_score_that_takes_seconds_has_its_baseline_and_its_arguments(tmp_path):
    row = ROWS["multinomial_wrodl"]
    row = replace(row, options={**row.options, "args": ("--model.init_args.pseudocount", "0.0")})
    found = scores.measure(row, 0, Context(work=tmp_path))
    assert found.metrics["baseline/log_likelihood"] == pytest.approx(-math.log(7 * 6 * 3 * 4 * 8))
    assert found.metrics["test/impossible@last"] > 0.5
    # Minus infinity is no number of a record.
    assert found.details["not finite"] == {"test/log_likelihood@last": "-inf"}
    assert found.args == ["--model.init_args.pseudocount", "0.0"]


def test_runs_are_named_after_the_configuration_or_after_model_and_data():
    assert scores.run_name(ROWS["perceptron_iris"]) == "perceptron_iris"
    assert scores.run_name(ROWS["backbone_digits"]) == "BackboneClassifier-Digits"


class Table:
    """Four training rows and two test rows."""

    sizes = (2, 3)

    def __init__(self, targets, test):
        self.train = (torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor(targets))
        self.test = (torch.tensor([[1.0], [4.0]]), torch.tensor(test))

    def train_dataloader(self):
        return [self.train]

    def test_dataloader(self):
        return [self.test]


def test_baselines_by_hand():
    assert baselines.majority(Table([1, 1, 1, 0], [1, 0])) == {"baseline/accuracy": 0.5}
    found = baselines.mean_target(Table([1.0, 3.0, 1.0, 3.0], [1.0, 3.0]))
    assert found == {"baseline/rmse": pytest.approx(1), "baseline/r2": pytest.approx(0)}
    assert baselines.mean_input(Table([0] * 4, [0] * 2)) == {"baseline/mse": pytest.approx((0.5**2 + 2.5**2) / 2)}
    table = Table([0] * 4, [0] * 2)
    assert baselines.uniform_categories(table) == {"baseline/log_likelihood": pytest.approx(-math.log(6))}
    table.test = (torch.zeros(2, 3, 4, 5), torch.zeros(2))
    assert baselines.uniform_colours(table) == {"baseline/log_likelihood": pytest.approx(-20 * math.log(256))}
    # Of a hundred images one is white in the first pixel; one of each more makes that 2 of 102.
    table.train = (torch.eye(100)[:, :1], torch.zeros(100))
    table.test = (torch.tensor([[1.0], [0.0]]), torch.zeros(2))
    nll = -(math.log(2 / 102) + math.log(100 / 102)) / 2
    assert baselines.pixel_means(table) == {"baseline/nll": pytest.approx(nll), "baseline/elbo": pytest.approx(-nll)}


def test_a_ridge_regression_reads_the_steering_from_the_brightness_below_the_top_third():
    """Where the steering is the brightness of one half, but for what the regression shrinks; the top third is noise."""
    draw = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (60, 3, 24, 32), generator=draw, dtype=torch.uint8)
    steering = torch.linspace(-1, 1, 60)[torch.randperm(60, generator=draw)]
    frames[:, :, 8:] = (127.5 * (1 + steering)).round().byte().view(-1, 1, 1, 1)
    parts = [FramesDataset(frames[a:b], steering[a:b]) for a, b in ((0, 30), (30, 40), (40, 60))]
    data = SimpleNamespace(train_set=parts[0], val_set=parts[1], test_set=parts[2])
    found = baselines.ridge_of_frames(data)
    assert found["baseline/mae"] < 0.02
    assert found["baseline/r2"] > 0.99
    known, test = steering[:40], steering[40:]
    assert found["baseline/mean_mae"] == pytest.approx((test - known.mean()).abs().mean().item(), abs=1e-6)
    assert found["baseline/mean_r2"] <= 0


def test_one_gaussian_of_a_pen_by_hand():
    """Offsets of variance 12 / 7 and covariance 8 / 7; a line's first and what is behind it do not count."""
    offsets = [[1.0, 0.0], [-1.0, 0.0], [1.0, 2.0], [-1.0, -2.0], [2.0, 1.0], [-2.0, -1.0], [0.0, 1.0], [0.0, -1.0]]
    first, behind = [[9.0, 9.0, 1.0]], [[0.0, 0.0, -1.0]]
    line = torch.tensor(first + [[x, y, float(place == 0)] for place, (x, y) in enumerate(offsets)] + behind)
    test = torch.tensor([first[0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    table = Table([0] * 4, [0] * 2)
    table.train, table.test = (line[None], None), (test[None], None)
    found = baselines.one_gaussian(table)
    variance, covariance = 12 / 7, 8 / 7
    determinant = variance**2 - covariance**2
    square = (2 * variance - 2 * covariance) / determinant  # of (1, 1)
    nats = math.log(2 * math.pi) + 0.5 * math.log(determinant) + 0.25 * square
    nats += 0.5 * (math.log(8) + math.log(8 / 7))
    assert found == {"baseline/loss": pytest.approx(nats, rel=1e-6), "baseline/pen_accuracy": 0.5}


def test_random_actions_hold_the_pole_for_some_twenty_steps(tmp_path):
    found = baselines.measure(ROWS["random_cartpole"], 0, Context(work=tmp_path))
    assert 18 < found.metrics["baseline/return"] < 27
    assert (found.system, found.steps) == ("random actions", 0)


def test_values_of_0_are_as_far_off_as_the_values_are_large():
    walk = EnvironmentDataModule("dlmodules/RandomWalk-v0")
    expected = (sum((state / 10) ** 2 for state in range(-9, 10)) / 19) ** 0.5
    assert baselines.zero_values(walk)["baseline/value_error"] == pytest.approx(expected)
