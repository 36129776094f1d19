from benchmarks.report.equal_updates import equal_updates, nearest
from benchmarks.report.standing import by_row
from benchmarks.row import Row
from tests.benchmarks.records import record


def row(name, budget):
    return Row(name=name, kind="table", program="programs.gans", system="WGAN", protocol="p", title=name, budget=budget)


def measured(name, seed, budget, *curve):
    return record(name=name, seed=seed, kind="table", budget=budget, details={"fid": [list(point) for point in curve]})


def test_runs_are_compared_after_as_many_updates():
    rows = [row("plain", "2,000"), row("changed", "1,000"), row("waiting", "1,000")]
    records = [
        measured("plain", 0, "2,000", (500, 300.0), (1030, 150.0), (2000, 90.0)),
        measured("plain", 1, "2,000", (500, 310.0), (1030, 170.0), (2000, 110.0)),
        measured("changed", 0, "1,000", (500, 400.0), (1000, 266.5)),
    ]
    assert equal_updates(rows, by_row(records, rows)).splitlines()[2:] == [
        "| plain | `plain` | 2 | 1,030 | 160.0\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}14.1 | 2,000 |",
        "| changed | `changed` | 1 | 1,000 | 266.5 | 1,000 |",
        "| waiting | `waiting` | 0 | – | not yet run | 1,000 |",
    ]


def test_without_a_run_nothing_is_compared():
    rows = [row("plain", "2,000")]
    assert "| plain | `plain` | 0 | – | not yet run | 2,000 |" in equal_updates(rows, by_row([], rows))


def test_the_nearest_validation():
    assert nearest([(859, 3.0), (1030, 2.0), (1202, 1.0)], 1000) == (1030, 2.0)
