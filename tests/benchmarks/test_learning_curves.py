"""The agents' curves over seeds: read from a run's log, kept in its record, drawn with their band."""

from pathlib import Path

from benchmarks.learning_curves import DETAIL, FOLDER, curves_of, draw, has_figure
from benchmarks.programs.scores import curve_over
from benchmarks.record import RECORDS, ROOT, read_records
from benchmarks.rows import ROWS

from .records import record


def test_a_curve_pairs_what_was_logged_at_once(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,env_steps,val/return\n1,100,\n2,250,9\n2,,8\n4,500,20.5\n")
    assert curve_over(tmp_path / "metrics.csv", "env_steps", DETAIL) == [(250, 9), (500, 20.5)]


def test_the_figure_needs_two_seeds_and_shows_the_steps_that_all_have(tmp_path: Path) -> None:
    curves = [[[250, 9.0], [500, 20.0]], [[250, 11.0], [500, 30.0], [750, 31.0]]]
    records = [record(seed=seed, details={DETAIL: curve}) for seed, curve in enumerate(curves)]
    assert not has_figure([records[0], record(seed=1, details={})])
    assert has_figure(records)
    assert curves_of(records) == curves
    draw(curves, "dqn_cartpole", tmp_path / "curves" / "dqn.png")
    assert (tmp_path / "curves" / "dqn.png").stat().st_size > 5_000


def test_each_row_with_curves_has_its_figure() -> None:
    found = [record for record in read_records(RECORDS) if record.name in ROWS]
    names = {name for name in ROWS if has_figure([record for record in found if record.name == name])}
    drawn = {path.stem for path in FOLDER.glob("*.png")} if FOLDER.exists() else set()
    assert drawn == names, f"python -m benchmarks.learning_curves in {ROOT}"
