"""Plot FID over the updates of all GANs from the records: ``python -m benchmarks.report.gan_figure``."""

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure

from benchmarks.record import RECORDS, ROOT, Record, read_records
from benchmarks.rows import ROWS

PATH = ROOT / "docs" / "images" / "gans" / "fid.png"


def curves(records: Iterable[Record]) -> dict[str, list[list[tuple[float, float]]]]:
    """Return FID over the updates of each run of ``gan_table``, by the name of its system."""
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for record in records:
        if record.name in ROWS and ROWS[record.name].table == "gan_table":
            found.setdefault(record.system, []).append(record.details["fid"])
    return found


def draw(systems: dict[str, list[list[tuple[float, float]]]], path: Path) -> None:
    """Draw the mean over the runs, and between the least and the largest a band, to ``path``."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, runs in systems.items():
        updates = [point[0] for point in runs[0]]
        columns = list(zip(*([value for _, value in run] for run in runs), strict=True))
        (line,) = axes.plot(updates, [fmean(column) for column in columns], marker=".", label=name)
        low, high = [min(column) for column in columns], [max(column) for column in columns]
        axes.fill_between(updates, low, high, color=line.get_color(), alpha=0.2)
    axes.set(xlabel="updates of the generator", ylabel="FID, features of an MNIST classifier", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.legend(loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    draw(curves(read_records(RECORDS)), PATH)
    print(PATH)
