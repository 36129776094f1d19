import importlib

import pytest

from benchmarks.record import ROOT
from benchmarks.rows import ROWS, SCORES, SPEEDS
from benchmarks.run import chosen, main
from tests.benchmarks.records import record


def test_names_are_unique_and_fit_for_files():
    assert len(ROWS) == len(SCORES) + len(SPEEDS)
    for row in ROWS.values():
        record(name=row.name, kind=row.kind, system=row.system, protocol=row.protocol)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_row_has_its_program_and_its_configuration(row):
    assert callable(importlib.import_module(f"benchmarks.{row.program}").measure)
    assert row.config is None or (ROOT / row.config).is_file()
    assert bool(row.figures) == (row.kind == "score")
    assert bool(row.title) == (row.kind != "score")


def test_a_figure_asks_for_a_checkpoint_that_is_tested():
    for row in SCORES:
        for figure in row.figures:
            _, _, checkpoint = figure.key.partition("@")
            assert checkpoint in ("", *row.options.get("checkpoints", ("last",)))


def test_without_a_name_the_missing_records_are_chosen(tmp_path):
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "mlp_mnist-seed1.json").touch()
    found = [(row.name, seed) for row, seed in chosen([], None, False, tmp_path)]
    assert found[:3] == [("mlp_mnist", 0), ("mlp_mnist", 2), ("vae_mnist", 0)]
    assert not any(name == "dcgan_mnist" for name, _ in found)
    assert ("mlp_mnist", 1) in [(row.name, seed) for row, seed in chosen([], None, True, tmp_path)]


def test_a_named_row_is_chosen_again_and_with_other_seeds(tmp_path):
    (tmp_path / "score").mkdir()
    (tmp_path / "score" / "dcgan_mnist-seed0.json").touch()
    assert [seed for _, seed in chosen(["dcgan_mnist"], None, False, tmp_path)] == [0]
    assert [seed for _, seed in chosen(["dcgan_mnist"], [4, 5], False, tmp_path)] == [4, 5]


def test_an_unknown_row_ends_in_one_line(capsys):
    assert main(["no_such_row"]) == 2
    assert capsys.readouterr().err == "error: there is no row 'no_such_row'; --list shows what there is\n"
