"""A row of BENCHMARKS.md: what is measured, how, how often, and the figures of others for comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """A number of a score row.

    Args:
        key: its name among the metrics of a record; ``@last`` and ``@best`` name the checkpoint.
        label: what the report calls it.
        digits: decimals in the report.
        bar: what every seed must reach; None where there is none.
        better: whether ``bar`` is a least or a largest value.
        of_mean: whether ``bar`` is for the mean over the seeds instead.
        book: the book's figure; empty where it reports none.
        anchor: another implementation's figure, with its name.
        baseline: key of the metric of what could also give the figure without learning; empty where none is measured.
        guess: what that is, such as "the most frequent class".
        guess_row: the row of ``benchmarks.rows.baselines`` that measures it; empty where the figure's own runs do.
        interquartile: report the interquartile mean with its 95 % bootstrap interval and the worst seed, as is the
            custom for agents.
        worst: what the worst seed must reach, and ``bar`` the interquartile mean; None where ``bar`` is for every seed.
        all_but: how many seeds may miss a ``bar`` that is for every seed.
    """

    key: str
    label: str
    digits: int = 3
    bar: float | None = None
    better: Literal["higher", "lower"] = "higher"
    of_mean: bool = False
    book: str = ""
    anchor: str = ""
    baseline: str = ""
    guess: str = ""
    guess_row: str = ""
    interquartile: bool = False
    worst: float | None = None
    all_but: int = 0


@dataclass(frozen=True)
class Gpu:
    """What a row costs on a lent GPU, and its place among the rows there.

    Args:
        place: 1 for the one that is worth most.
        minutes: what a seed takes, an estimate until one is measured: start of the processes, test and all.
    """

    place: int
    minutes: float


@dataclass(frozen=True)
class Row:
    """A row of the report.

    Args:
        name: what to type after ``python -m benchmarks.run``.
        kind: ``score``, ``table`` (a row of a book's table of variants), ``speed`` or ``memory``.
        program: the module below ``benchmarks`` that measures it, by its function ``measure``.
        system: public class, or what is measured where there is none.
        protocol: how it is measured; it goes into the record.
        config: path of the configuration.
        budget: how much training, in words.
        seeds: one record for each.
        figures: the numbers of a score row.
        options: what ``program`` needs besides. ``args`` are the command line's arguments: what the run says other than
            its configuration, or all of it where there is none; the report prints them.
        cost: how long a seed takes on a core, so that what fits can be chosen.
        elsewhere: where it is run only when named: what to run it on.
        gpu: what it costs on a GPU; None where it is not for one. See ``benchmarks.gpu``.
        headline: the row by which its system is known; without one, the report chooses by the seeds and the bar.
        table: of a table row: the table's name, which stands for all its rows.
        title: of a table row the variant; of a speed or memory row what is compared.
        bar, unit, ours, other: of a speed or memory row: the largest or least value, its unit (``x`` for a
            ratio), and how the figures of the two sides are written.
    """

    name: str
    kind: Literal["score", "table", "speed", "memory"]
    program: str
    system: str
    protocol: str
    config: str | None = None
    budget: str = ""
    seeds: tuple[int, ...] = (0,)
    figures: tuple[Figure, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    cost: Literal["seconds", "minutes", "hours"] = "minutes"
    elsewhere: str = ""
    gpu: Gpu | None = None
    headline: bool = False
    table: str = ""
    title: str = ""
    bar: tuple[Literal["<=", ">="], float] = ("<=", 1.0)
    unit: str = "x"
    ours: str = ""
    other: str = ""
