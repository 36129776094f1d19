"""Cells and tables of Markdown: the values of a figure, and how they compare with its bar."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from benchmarks.bootstrap import interquartile_mean, interval
from benchmarks.classifier import named_classifier
from benchmarks.record import Record
from benchmarks.row import Figure, Row

State = Literal["met", "missed", "undecided", "single run", "no bar", "not judged", "none"]
STATES: tuple[State, ...] = get_args(State)
ENOUGH = 3  # seeds for a mean and its deviation
EARLIER = " †"
EARLIER_HEAD = "† is measured by an earlier classifier, which the protocol names: not comparable with the others.\n"
NOTHING = "–"
NOT_YET = "not yet run"
PLUS_MINUS = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def values_of(figure: Figure, records: Sequence[Record]) -> list[float]:
    """Return the figure of each record that has it; in per cent where its label says so."""
    return [percent(figure, record.metrics[figure.key]) for record in records if figure.key in record.metrics]


def percent(figure: Figure, value: float) -> float:
    """Return ``value`` as the label of ``figure`` counts."""
    return 100 * value if figure.label.endswith("%") else value


def digits_of(figure: Figure) -> int:
    """Return the decimals of a figure as its label counts: two fewer in per cent."""
    return max(0, figure.digits - 2) if figure.label.endswith("%") else figure.digits


def spread(figure: Figure, records: Sequence[Record]) -> str:
    """Return mean and deviation, or what there is in their place; the number of seeds where it is not enough."""
    if not records:
        return NOT_YET
    values, digits = values_of(figure, records), digits_of(figure)
    runs = len(records)
    if not values:
        return f"not reached in {runs} run{'s' if runs > 1 else ''}"
    missing = "" if len(values) == runs else f"not reached in {runs - len(values)} of {runs} runs"
    if len(values) == 1:
        few = "; ".join(["single run", *([missing] if missing else [])])
        return f"{values[0]:.{digits}f} ({few}){mark(records)}"
    text = interquartile(figure, values, digits) if figure.interquartile else mean_and_deviation(values, digits)
    few = "; ".join([*([f"{len(values)} runs"] if len(values) < ENOUGH else []), *([missing] if missing else [])])
    return text + (f" ({few})" if few else "") + mark(records)


def mean_and_deviation(values: Sequence[float], digits: int) -> str:
    """Return the mean of ``values`` and their deviation (n - 1), or the one value that there is."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean}{PLUS_MINUS}{statistics.stdev(values):.{digits}f}"


def interquartile(figure: Figure, values: Sequence[float], digits: int) -> str:
    """Return the interquartile mean of ``values`` with its interval, and the worst of them."""
    low, high = interval(values, interquartile_mean)
    middle = f"{interquartile_mean(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{middle}, worst {worst(figure, values):.{digits}f}"


def worst(figure: Figure, values: Sequence[float]) -> float:
    """Return the value of the worst seed."""
    return min(values) if figure.better == "higher" else max(values)


def state(figure: Figure, records: Sequence[Record]) -> State:
    """Return how a figure stands to its bar. One run, or two, never meet it: they say nothing of the spread."""
    values = values_of(figure, records)
    if not values:
        return "none"
    if len(values) < ENOUGH:
        return "single run"
    if figure.bar is None:
        return "no bar"
    return "met" if reaches(figure, values) else "missed"


def reaches(figure: Figure, values: Sequence[float]) -> bool:
    """Say whether every value but ``all_but``, or the mean where the bar is for that, is at the bar or beyond.

    Where the worst seed has a bar of its own, the other is the interquartile mean's.
    """
    assert figure.bar is not None
    # Metrics are float32: 9,830 of 10,000 images read as 0.98299998.
    rounded = [round(value, 6) for value in values]
    if figure.worst is not None:
        middle = round(interquartile_mean(rounded), 6)
        return _at_least(figure, middle, figure.bar) and _at_least(figure, worst(figure, rounded), figure.worst)
    counted = [round(statistics.fmean(rounded), 6)] if figure.of_mean else rounded
    return sum(not _at_least(figure, value, figure.bar) for value in counted) <= figure.all_but


def _at_least(figure: Figure, value: float, bar: float) -> bool:
    """Say whether ``value`` is at ``bar`` or beyond, in the direction that is better."""
    limit = percent(figure, bar)
    return value >= limit if figure.better == "higher" else value <= limit


def bar_of(figure: Figure) -> str:
    """Return a figure's bar in words."""
    if figure.bar is None:
        return NOTHING
    sign = "≥" if figure.better == "higher" else "≤"
    text = f"{sign}\N{NO-BREAK SPACE}{percent(figure, figure.bar):g}"
    if figure.worst is not None:
        return (
            f"{text} in the interquartile mean, {sign}\N{NO-BREAK SPACE}{percent(figure, figure.worst):g} for the worst"
        )
    if figure.all_but:
        return f"{text} but for {figure.all_but} of the seeds"
    return text + (" in the mean" if figure.of_mean else "")


def bar_and_state(figure: Figure, records: Sequence[Record]) -> str:
    """Return a figure's bar and how it stands to it."""
    return bar_of(figure) if figure.bar is None else f"{bar_of(figure)}: {strong(state(figure, records))}"


def strong(found: State) -> str:
    """Return a state so that a missed bar is seen."""
    return "**missed**" if found == "missed" else found


def guess_of(figure: Figure, row: Row, found: Mapping[str, Sequence[Record]]) -> str:
    """Return what could also give the figure, and how much of it, the mean over the runs."""
    records = found.get(figure.guess_row or row.name, ())
    measured = [record.metrics[figure.baseline] for record in records if figure.baseline in record.metrics]
    found = [percent(figure, value) for value in measured]
    return f"{statistics.fmean(found):.{digits_of(figure)}f} ({figure.guess})" if found else NOTHING


def seconds_of(records: Sequence[Record]) -> str:
    """Return the processor and wall seconds of the median run, where records have both."""
    processor = [record.details["processor_seconds"] for record in records if "processor_seconds" in record.details]
    if not processor:
        return NOTHING
    wall = statistics.median(record.wall_seconds for record in records)
    return f"{statistics.median(processor):.0f} / {wall:.0f}"


def mark(records: Sequence[Record]) -> str:
    """Return the sign of records that were measured by another classifier than the kept one."""
    ours = named_classifier()
    earlier = any("; classifier " in record.protocol and not record.protocol.endswith(ours) for record in records)
    return EARLIER if earlier else ""


def budget_of(row: Row, records: Sequence[Record]) -> str:
    """Return the budget of the runs that were measured, or of ``row`` where there are none."""
    return " / ".join(dict.fromkeys(record.budget for record in records) or [row.budget]) or NOTHING


def overrides(row: Row, records: Sequence[Record] = ()) -> str:
    """Return what the runs said other than their configuration, or what a run of ``row`` would where there are none.

    Empty where they say nothing.
    """
    runs = {tuple(record.args): None for record in records} or {tuple(map(str, row.options.get("args", ()))): None}
    return " / ".join(filter(None, map(_words, runs)))


def _words(args: Sequence[str]) -> str:
    words: list[str] = []
    for arg in args:
        given = arg.removeprefix("--").replace("init_args.", "")
        if words and not arg.startswith("--"):
            words[-1] += f" {given}"
        else:
            words.append(given.replace("=", " ", 1))
    return ", ".join(f"`{word}`" for word in words)
