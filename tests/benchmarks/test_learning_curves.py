"""The agents' curves over seeds: read from a run's log, kept in its record, drawn with their band."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.curves import HELD_OUT_RETURN, curves_of
from benchmarks.learning_curves import FOLDER, draw
from benchmarks.programs.scores import curve_over
from benchmarks.record import RECORDS, ROOT, read_records
from benchmarks.report.standing import by_row
from benchmarks.rows import ROWS

from .records import record


def test_a_curve_pairs_what_was_logged_at_once(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,env_steps,val/return\n1,100,\n2,250,9\n2,,8\n4,500,20.5\n")
    assert curve_over(tmp_path / "metrics.csv", "env_steps", HELD_OUT_RETURN) == [(250, 9), (500, 20.5)]


def test_the_figure_needs_two_seeds_and_returns_that_are_learnt(tmp_path: Path) -> None:
    curves = [[[250, 9.0], [500, 20.0]], [[250, 11.0], [500, 30.0], [750, 31.0]]]
    records = [record(seed=seed, details={HELD_OUT_RETURN: curve}) for seed, curve in enumerate(curves)]
    row = ROWS["dqn_cartpole"]
    assert not curves_of(row, [records[0], record(seed=1, details={})])
    assert curves_of(row, records) == curves
    assert not curves_of(ROWS["semi_gradient_td_cartpole"], records)  # the returns of a policy that stays as it is
    draw(curves, "dqn_cartpole", tmp_path / "curves" / "dqn.png")
    assert (tmp_path / "curves" / "dqn.png").stat().st_size > 5_000


def test_seeds_that_were_validated_at_other_steps_have_a_mean_where_all_have_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Sequence[float]] = []
    monkeypatch.setattr("benchmarks.learning_curves.interquartile_mean", lambda column: judged.append(column) or 0.0)
    monkeypatch.setattr("benchmarks.learning_curves.interval", lambda column, *_: (min(column), max(column)))
    draw([[[100, 0.0], [300, 20.0]], [[200, 5.0], [250, 6.0], [300, 7.0]]], "genetic", tmp_path / "genetic.png")
    assert judged == [[10.0, 5.0], [15.0, 6.0], [20.0, 7.0]]


def test_each_row_with_curves_has_its_figure() -> None:
    found = by_row(read_records(RECORDS), ROWS.values())
    names = {name for name, records in found.items() if curves_of(ROWS[name], records)}
    drawn = {path.stem for path in FOLDER.glob("*.png")} if FOLDER.exists() else set()
    assert drawn == names, f"python -m benchmarks.learning_curves in {ROOT}"
