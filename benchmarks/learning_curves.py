"""Plot the agents' held-out returns from the records: ``python -m benchmarks.learning_curves``."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.bootstrap import interquartile_mean, interval
from benchmarks.curves import Curve, curves_of
from benchmarks.record import RECORDS, ROOT, read_records
from benchmarks.report.standing import by_row
from benchmarks.rows import ROWS

FOLDER = ROOT / "docs" / "images" / "learning_curves"
RESAMPLES = 1_000  # for the eye


def draw(curves: Sequence[Curve], title: str, path: Path) -> None:
    """Draw each seed, their interquartile mean and its 95 % bootstrap interval to ``path``.

    Where seeds were validated at other steps, as populations are after whole generations, what lies between two
    validations is on the line between them.
    """
    first, last = max(curve[0][0] for curve in curves), min(curve[-1][0] for curve in curves)
    common = sorted({step for curve in curves for step, _ in curve if first <= step <= last})
    columns = np.transpose([np.interp(common, *np.transpose(curve)) for curve in curves]).tolist()
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
    for name, records in by_row(read_records(RECORDS), ROWS.values()).items():
        if curves := curves_of(ROWS[name], records):
            draw(curves, name, FOLDER / f"{name}.png")
            print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
