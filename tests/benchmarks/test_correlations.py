"""What a falling loss says of falling FID, beside what the number of the step says of it."""

import pytest

from benchmarks.curves import changes, rank_correlation
from benchmarks.record import RECORDS, ROOT, read_records
from benchmarks.report.correlations import correlations, watched_and_fid
from benchmarks.rows import ROWS
from tests.benchmarks.records import record

ROW = ROWS["gan_table_04"]


def run(watched, fid, seed=0):
    curves = {
        "watched_loss": [[250 * (place + 1), value] for place, value in enumerate(watched)],
        "fid": [[250 * (place + 1), value] for place, value in enumerate(fid)],
    }
    return record(name=ROW.name, kind="table", seed=seed, system=ROW.system, details=curves)


def cells(*records):
    return [cell.strip() for cell in correlations([ROW], {ROW.name: records}).splitlines()[2].split("|")[1:-1]]


def test_a_loss_that_only_falls_with_time_follows_levels_and_not_changes():
    # Both fall at every validation; the loss by 1, 2, 3 and 4, FID by 40, 30, 20 and 10.
    found = cells(run([10, 9, 7, 4, 0], [100, 60, 30, 10, 0]))
    assert found == [ROW.title, "1", "5", "1.00", "-1.00", "-1.00", "1.00"]


def test_a_loss_that_falls_where_fid_falls_follows_both():
    falling = run([50, 40, 37, 30, 29], [100, 60, 50, 20, 15])
    assert cells(falling)[3:6] == ["1.00", "-1.00", "1.00"]
    opposed = run([50, 40, 20, 19, 0], [100, 60, 50, 20, 15], seed=1)
    assert cells(falling, opposed)[1] == "2"
    assert cells(falling, opposed)[5].startswith("0.20")


def test_without_runs_or_without_variation_there_is_no_correlation():
    assert cells()[1:] == ["0", "–", *["not yet run"] * 4]
    assert cells(run([1, 1, 1, 1], [4, 3, 2, 1]))[3:] == ["–", "-1.00", "–", "–"]
    assert rank_correlation([1, 2], [1, 2]) is None
    assert changes([1, 4, 2]) == [3, -2]


def test_the_curves_of_the_records_give_the_correlation_that_they_state():
    records = [one for one in read_records(RECORDS) if one.name in ROWS and ROWS[one.name].table == "gan_table"]
    assert records
    for one in records:
        assert rank_correlation(*watched_and_fid(one)) == pytest.approx(one.metrics["loss_correlation"])


@pytest.mark.parametrize("page", ["gans-compared.md", "systems/wgan.md"])
def test_a_page_that_speaks_of_loss_and_quality_shows_both_correlations(page):
    assert '--8<-- "benchmarks/snippets/gan_correlations.md"' in (ROOT / "docs" / page).read_text()
    written = (ROOT / "benchmarks" / "snippets" / "gan_correlations.md").read_text()
    assert written.startswith("| variant | seeds | validations | loss and FID | step number and FID | change of loss")
    assert len(written.splitlines()) == 2 + len([row for row in ROWS.values() if row.table == "gan_table"])
