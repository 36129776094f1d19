import importlib
import re

import pytest
import yaml

import datamodules
import dlmodules
from benchmarks.programs import baselines
from benchmarks.record import ROOT
from benchmarks.rows import ROWS, SCORES, SPEEDS, TABLE_TITLES, TABLES
from benchmarks.run import chosen, main
from tests.benchmarks.records import record


def test_names_are_unique_and_fit_for_files():
    assert len(ROWS) == len(SCORES) + len(TABLES) + len(SPEEDS)
    for row in ROWS.values():
        record(name=row.name, kind=row.kind, system=row.system, protocol=row.protocol)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_row_has_its_program_and_its_configuration(row):
    assert callable(importlib.import_module(f"benchmarks.{row.program}").measure)
    assert row.config is None or (ROOT / row.config).is_file()
    assert bool(row.figures) == (row.kind in ("score", "table"))
    assert bool(row.title) == (row.kind != "score")


def test_a_figure_asks_for_a_checkpoint_that_is_tested():
    for row in SCORES:
        for figure in row.figures:
            _, _, checkpoint = figure.key.partition("@")
            assert checkpoint in ("", *row.options.get("checkpoints", ("last",)))


def test_without_a_name_the_missing_records_are_chosen(tmp_path):
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "cnn_mnist-seed1.json").touch()
    found = [(row.name, seed) for row, seed in chosen([], None, False, tmp_path)]
    assert [(name, seed) for name, seed in found if name in ("cnn_mnist", "vae_mnist")] == [
        ("cnn_mnist", 0),
        ("cnn_mnist", 2),
        ("vae_mnist", 0),
    ]
    assert not any(name == "dcgan_mnist" for name, _ in found)
    assert ("cnn_mnist", 1) in [(row.name, seed) for row, seed in chosen([], None, True, tmp_path)]


def test_rows_that_take_longer_than_asked_for_are_left_out(tmp_path):
    quick = [row for row, _ in chosen([], None, False, tmp_path, "seconds")]
    assert {row.cost for row in quick} == {"seconds"}
    assert "perceptron_iris" in [row.name for row in quick]
    assert chosen(["mlp_mnist"], [0], False, tmp_path, "seconds")  # what is named is measured


def test_every_system_has_a_row_and_what_takes_seconds_a_baseline():
    systems = {row.system for row in ROWS.values()}
    assert [system for system in dlmodules.__all__ if system not in systems] == []
    for row in ROWS.values():
        if row.cost == "seconds":
            assert row.figures[0].guess
            assert row.options["baseline"] in baselines.BASELINES
        assert all(bool(figure.baseline) == bool(figure.guess) for figure in row.figures)


def test_a_guess_that_is_measured_by_a_row_of_its_own_is_found_there():
    named = {(figure.guess_row, figure.baseline) for row in SCORES for figure in row.figures if figure.guess_row}
    assert len(named) > 6
    for name, key in named:
        assert ROWS[name].program == "programs.baselines"
        assert ROWS[name].figures[0].key == key or (name, key) == ("pixel_means_mnist", "baseline/elbo")


def test_every_figure_of_a_classifier_or_a_likelihood_has_its_guess():
    for row in SCORES:
        if row.program != "programs.baselines" and row.figures[0].key in ("test/accuracy@last", "val/accuracy@last"):
            assert row.figures[0].guess, row.name


SIZES = {"MNISTDataModule": 60_000, "BinarizedMNISTDataModule": 60_000}


def test_a_budget_states_the_images_that_its_run_trains_on():
    stated = 0
    for row in (row for row in ROWS.values() if row.config):
        images = re.search(r"([\d,]{5,}) images", row.budget)
        data = yaml.safe_load((ROOT / row.config).read_text()).get("data", {})
        name, args = str(data.get("class_path", "")).rpartition(".")[2], list(row.options.get("args", ()))
        if images is None or name not in SIZES or "data" in row.options:  # which stands for the configuration's
            continue
        val_size = data.get("init_args", {}).get("val_size", getattr(datamodules, name)().val_size)
        if "--data.init_args.val_size" in args:
            val_size = float(args[args.index("--data.init_args.val_size") + 1])
        held_out = val_size if val_size >= 1 else val_size * SIZES[name]
        assert int(images[1].replace(",", "")) == SIZES[name] - held_out, row.name
        stated += 1
    assert stated > 40


def test_a_named_row_is_chosen_again_and_with_other_seeds(tmp_path):
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "dcgan_mnist-seed0.json").touch()
    assert [seed for _, seed in chosen(["dcgan_mnist"], None, False, tmp_path)] == [0]
    assert [seed for _, seed in chosen(["dcgan_mnist"], [4, 5], False, tmp_path)] == [4, 5]


def test_a_table_stands_for_its_rows_and_is_run_only_when_named(tmp_path):
    assert [row.name for row, _ in chosen(["cnn_table"], None, False, tmp_path)] == [
        f"cnn_table_{number:02}" for number in (1, 2, 3, 4)
    ]
    assert not any(row.kind == "table" for row, _ in chosen([], None, False, tmp_path))


@pytest.mark.parametrize("table", TABLE_TITLES)
def test_a_sweep_runs_every_row_of_its_table(table):
    sweep = yaml.safe_load((ROOT / "benchmarks" / "sweeps" / f"{table}.yaml").read_text())
    assert sweep["parameters"]["row"]["values"] == [row.name for row in TABLES if row.table == table]
    # An agent puts the flag in place of ${args}.
    assert sweep["command"][2:] == ["-m", "benchmarks.run", "${args}"]


def test_a_sweeps_flag_names_a_row(capsys):
    assert main(["--row=no_such_row"]) == 2
    assert "no row 'no_such_row'" in capsys.readouterr().err


def test_the_tables_have_the_books_rows():
    counts = {table: sum(row.table == table for row in TABLES) for table in TABLE_TITLES}
    books = {"mlp_table": 18, "cnn_table": 4, "rnn_table": 4, "denoising_table": 3, "beta_table": 3}
    others = {"pretraining_table": 4, "gan_table": 10, "gan_ablations": 11, "chauffeurnet_table": 4}
    assert counts == books | others | {"cyclegan_inversion": 7}
    for row in (row for row in TABLES if row.table in ("mlp_table", "cnn_table", "rnn_table")):
        # What the configuration says of the optimizer and its schedule must not stay.
        args = row.options["args"]
        assert "--model.init_args.optimizer.init_args.weight_decay" in args
        assert args[args.index("--model.init_args.scheduler") + 1] == "null"


def test_an_unknown_row_ends_in_one_line(capsys):
    assert main(["no_such_row"]) == 2
    assert capsys.readouterr().err == "error: there is no row 'no_such_row'; --list shows what there is\n"


def test_a_changed_source_is_not_measured(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.run.measured_commit", lambda: "0123456789ab-dirty")
    assert main(["speed_data"]) == 2
    assert "error: the source differs from commit 0123456789ab" in capsys.readouterr().err
