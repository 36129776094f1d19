"""Plot the agents' held-out returns from the records: ``python -m benchmarks.learning_curves``."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.bootstrap import interquartile_mean, interval
from benchmarks.curves import Curve
from benchmarks.record import RECORDS, ROOT, Record, read_records
from benchmarks.rows import ROWS

FOLDER = ROOT / "docs" / "images" / "learning_curves"
DETAIL = "val/return"  # of a record: the curve of its run
FEWEST = 2  # seeds
RESAMPLES = 1_000  # for the eye


def curves_of(records: Sequence[Record]) -> list[Curve]:
    """Return the curves that ``records`` hold, one for each seed."""
    return [record.details[DETAIL] for record in records if DETAIL in record.details]


def has_figure(records: Sequence[Record]) -> bool:
    """Say whether a figure of ``records`` can be drawn."""
    return len(curves_of(records)) >= FEWEST


def draw(curves: Sequence[Curve], title: str, path: Path) -> None:
    """Draw each seed, their interquartile mean and its 95 % bootstrap interval to ``path``."""
    common = sorted(set.intersection(*({point[0] for point in curve} for curve in curves)))
    values = [dict(curve) for curve in curves]
    columns = [[one[step] for one in values] for step in common]
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        axes.plot([step for step, _ in curve], [value for _, value in curve], color="0.75", linewidth=0.7)
    bands = [interval(column, interquartile_mean, RESAMPLES) for column in columns]
    axes.fill_between(common, [low for low, _ in bands], [high for _, high in bands], alpha=0.3, linewidth=0)
    axes.plot(common, [interquartile_mean(column) for column in columns])
    axes.set(xlabel="environment steps", ylabel="held-out return", title=f"{title}, {len(curves)} seeds")
    axes.grid(visible=True, alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def main() -> None:
    """Draw the figure of each row whose records have curves."""
    found: dict[str, list[Record]] = {}
    for record in read_records(RECORDS):
        if record.name in ROWS:
            found.setdefault(record.name, []).append(record)
    for name, records in sorted(found.items()):
        if has_figure(records):
            draw(curves_of(records), name, FOLDER / f"{name}.png")
            print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
