import subprocess

import pytest

from benchmarks import report
from benchmarks.history import commits, fault, sound
from benchmarks.record import RECORDS, read_records, write_record
from dlmodules.errors import UserError
from tests.benchmarks.records import record

HERE = "0123456789ab"


def git(folder, *args):
    settings = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", folder, *settings, *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    for message in ("one", "two"):
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder


def test_every_record_stands():
    """Measured from a clean source, at a commit that is in the history (where all of that is here)."""
    assert len(list(sound(read_records(RECORDS), commits()))) == len(list(RECORDS.glob("*/*.json")))


def test_the_history_is_that_of_the_checkout(checkout):
    git(checkout, "branch", "other")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "on top")
    top = git(checkout, "rev-parse", "HEAD")[:12]
    assert len(commits(checkout)) == 3
    assert top in commits(checkout)
    git(checkout, "switch", "-q", "other")  # a commit that is somewhere, and not in this history
    assert top not in commits(checkout)


def test_a_part_of_the_history_is_none(checkout, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")
    assert commits(tmp_path / "shallow") is None
    (checkout / "unpacked").mkdir()
    assert commits(checkout / "unpacked") is None  # in somebody else's checkout
    assert commits(tmp_path) is None
    git(tmp_path, "init", "-q", "empty")
    assert commits(tmp_path / "empty") is None


@pytest.mark.parametrize(
    ("commit", "known", "words"),
    [
        (HERE, {HERE}, None),
        ("ba9876543210", {HERE}, "from a commit that is not in the history (ba9876543210)"),
        (f"{HERE}-dirty", {HERE}, f"from a changed source ({HERE}-dirty)"),
        ("unknown", {HERE}, "does not say from which commit"),
        ("ba9876543210", None, None),
        (f"{HERE}-dirty", None, "from a changed source"),
    ],
)
def test_what_nobody_can_repeat(commit, known, words):
    found = fault(record(commit=commit), known)
    assert found is None if words is None else words in found


def test_the_report_names_the_file_that_does_not_stand(tmp_path, monkeypatch):
    write_record(record(name="mlp_mnist", commit=f"{HERE}-dirty"), tmp_path)
    monkeypatch.setattr(report, "RECORDS", tmp_path)
    monkeypatch.setattr(report, "generated", list)
    with pytest.raises(UserError, match=r"^benchmarks/records/score/mlp_mnist-seed0\.json was measured from a changed"):
        report.main()


def test_the_report_says_that_it_cannot_check_commits(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "RECORDS", tmp_path)
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "commits", lambda: None)
    monkeypatch.setattr(report, "generated", lambda records: {"page.md": "".join(one.name for one in records)})
    write_record(record(commit="ba9876543210"), tmp_path)
    report.main()
    assert "is not checked" in capsys.readouterr().out
    assert (tmp_path / "page.md").read_text() == "toy"
